"""`python -m index_builder`: build, recode, verify, info, train-sae, push, pull.

Exit 0 good, 2 bad usage or bad input, 1 anything else.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import tyro

from index_builder.build import build
from index_builder.config import BuildConfig
from index_builder.hub.pull import PullCommand, pull
from index_builder.hub.push import PushCommand, push
from index_builder.recode import RecodeCommand, recode
from index_builder.train import TrainCommand
from index_builder.train import run as run_training
from index_builder.verify import defects_of
from sae_core.allocator import keep_freed_memory
from sae_core.errors import SparsightError
from sae_core.store import layout
from sae_core.store.checks import read_manifest

log = logging.getLogger("sparsight")
DEBUG_VARIABLE = "SPARSIGHT_DEBUG"
_FULL = "; make room, and the same command goes on where this one stopped"


@dataclass(frozen=True)
class VerifyCommand:
    """Read every byte of a store and list every defect."""

    store: tyro.conf.Positional[Path]
    """The store to check."""


@dataclass(frozen=True)
class InfoCommand:
    """Say what a store is."""

    store: tyro.conf.Positional[Path]
    """The store to describe."""
    json: bool = False
    """Print the whole manifest as JSON."""


Command = (
    Annotated[BuildConfig, tyro.conf.subcommand("build")]
    | Annotated[RecodeCommand, tyro.conf.subcommand("recode")]
    | Annotated[VerifyCommand, tyro.conf.subcommand("verify")]
    | Annotated[InfoCommand, tyro.conf.subcommand("info")]
    | Annotated[TrainCommand, tyro.conf.subcommand("train-sae")]
    | Annotated[PushCommand, tyro.conf.subcommand("push")]
    | Annotated[PullCommand, tyro.conf.subcommand("pull")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    log.setLevel(logging.INFO)
    keep_freed_memory()
    try:
        # Config dataclasses check their own fields, so reading the arguments can raise our errors too.
        command = tyro.cli(Command, prog="python -m index_builder", args=arguments, config=(tyro.conf.OmitArgPrefixes,))
        return _ACTIONS[type(command)](command)
    except SparsightError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same command again to resume", file=sys.stderr)
        return 1
    except OSError as error:
        where, way = f": {error.filename}" if error.filename else "", _FULL if error.errno == errno.ENOSPC else ""
        print(f"error: {error.strerror or error}{where}{way}", file=sys.stderr)
        return 1
    except Exception as error:  # a defect of ours, or of the machine (a full disk under FAISS, CUDA out of memory)
        if DEBUG_VARIABLE in os.environ:
            raise
        said = str(error).strip().split("\n")[0] or type(error).__name__
        print(f"error: {said} ({DEBUG_VARIABLE}=1 shows where; a build can be resumed)", file=sys.stderr)
        return 1


def _build(config: BuildConfig) -> int:
    manifest = build(config)
    print(
        f"{config.out}: {manifest.n_images:,} images, {manifest.n_rejected:,} rejected, {manifest.n_latents:,} latents"
    )
    if manifest.n_rejected:
        for said, n in _reject_counts(config.out):
            print(f"  rejected {n:,}: {said}")
    return 0


def _reject_counts(store: Path) -> list[tuple[str, int]]:
    errors = pq.read_table(store / layout.REJECTS, columns=["error"])["error"].value_counts().to_pylist()
    return sorted(((str(row["values"]), int(row["counts"])) for row in errors), key=lambda pair: -pair[1])


def _recode(command: RecodeCommand) -> int:
    manifest = recode(command)
    print(f"{command.out}: {manifest.n_images:,} images of {command.store}, {manifest.n_latents:,} latents")
    return 0


def _verify(command: VerifyCommand) -> int:
    defects = defects_of(command.store)
    for defect in defects:
        print(defect)
    n = len(defects)
    print(f"{command.store}: sound" if n == 0 else f"{command.store}: {n} {'defect' if n == 1 else 'defects'}")
    return 2 if defects else 0


def _info(command: InfoCommand) -> int:
    manifest = read_manifest(command.store)
    if command.json:
        print(manifest.model_dump_json(indent=2))
        return 0
    card = manifest.report
    print(f"{manifest.name}: {manifest.n_images:,} images of {manifest.source.name} ({manifest.n_rejected:,} rejected)")
    print(f"encoder {manifest.encoder.ref} ({manifest.encoder.model}), SAE {manifest.sae.ref}")
    print(f"{manifest.n_latents:,} latents, k {manifest.k}, {card.n_dead:,} dead, L0 {card.l0:.2f}")
    print(f"cosine {card.cosine:.3f} (random pairs {card.random_pair_cosine:.3f}), FVU {card.fvu:.3f}")
    if card.nearest_recall is not None:
        print(f"the index finds {100 * card.nearest_recall:.1f} % of the ten nearest images")
    return 0


def _train(command: TrainCommand) -> int:
    run_training(command)
    print(f"{command.out}: SAE with {command.latents:,} latents, k {command.k}")
    return 0


def _push(command: PushCommand) -> int:
    print(push(command))
    return 0


def _pull(command: PullCommand) -> int:
    manifest = pull(command)
    print(f"{command.out}: {manifest.name}, {manifest.n_images:,} images, {manifest.n_latents:,} latents")
    return 0


_ACTIONS: dict[type, Callable[..., int]] = {
    BuildConfig: _build,
    RecodeCommand: _recode,
    VerifyCommand: _verify,
    InfoCommand: _info,
    TrainCommand: _train,
    PushCommand: _push,
    PullCommand: _pull,
}
