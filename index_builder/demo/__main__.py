"""`python -m index_builder.demo STEP`: makes the embedded default, step by step. See docs/demo.md."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from index_builder.demo import checks
from index_builder.demo.notice import write_notice
from index_builder.demo.packages import PACKAGES, fetch
from index_builder.demo.pictures import write_pictures
from index_builder.demo.recipe import Recipe
from index_builder.demo.training import TrainingConfig
from index_builder.demo.uploads import write_uploads


def main() -> None:
    """Runs one step."""
    arguments = _arguments()
    recipe = Recipe(arguments.scratch, arguments.assets, arguments.views)
    _STEPS[arguments.step](recipe, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m index_builder.demo", description=__doc__)
    parser.add_argument("step", choices=sorted(_STEPS))
    parser.add_argument("--scratch", type=Path, default=Path("build/demo"), help="folder for downloads and caches")
    parser.add_argument("--assets", type=Path, default=Path("assets/demo"), help="folder that is written")
    parser.add_argument("--views", type=int, default=11, help="the whole picture and VIEWS - 1 crops of it")
    parser.add_argument("--steps", type=int, default=TrainingConfig.steps, help="training steps of the encoder")
    parser.add_argument("--threads", type=int, default=TrainingConfig.threads, help="threads of the training")
    parser.add_argument("--out", type=Path, default=Path("build/demo/embeddings.npy"), help="file for `embeddings`")
    return parser.parse_args()


def _fetch(recipe: Recipe, _: argparse.Namespace) -> None:
    """Downloads all packages."""
    for package in PACKAGES:
        print(package.name, fetch(package, recipe.scratch))


def _pictures(recipe: Recipe, _: argparse.Namespace) -> None:
    """Writes pictures.tar, uploads/ and NOTICE.md."""
    packed = write_pictures(recipe.scratch, recipe.tar)
    print(
        f"{len(packed.samples)} pictures in {recipe.tar.stat().st_size / 1e6:.1f} MB; rejected: {dict(packed.rejected)}"
    )
    write_uploads(recipe.scratch, recipe.assets / "uploads")
    write_notice(recipe.scratch, recipe.assets)


def _features(recipe: Recipe, _: argparse.Namespace) -> None:
    """Computes the trunk features of all views."""
    print(f"features {recipe.features.shape}")


def _encoder(recipe: Recipe, arguments: argparse.Namespace) -> None:
    """Trains and writes encoder/."""
    recipe.train_encoder(TrainingConfig(steps=arguments.steps, threads=arguments.threads))


def _quality(recipe: Recipe, _: argparse.Namespace) -> None:
    """Measures the encoder that is there."""
    print("held out:", json.dumps(asdict(checks.held_out_quality(recipe))))
    print("another source:", json.dumps(asdict(checks.stamps_quality(recipe))))
    for title, words in checks.photograph_words(recipe).items():
        print(f"{title}: {', '.join(words)}")


def _embeddings(recipe: Recipe, arguments: argparse.Namespace) -> None:
    """Writes the embeddings that the SAE is trained on."""
    print(f"embeddings {recipe.write_embeddings(arguments.out)} in {arguments.out}")


_STEPS: dict[str, Callable[[Recipe, argparse.Namespace], None]] = {
    "fetch": _fetch,
    "pictures": _pictures,
    "features": _features,
    "encoder": _encoder,
    "quality": _quality,
    "embeddings": _embeddings,
}

if __name__ == "__main__":
    main()
