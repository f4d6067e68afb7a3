"""The shipped encoder measured on held-out pictures, on another source, and on real photographs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import open_clip
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from index_builder.demo.classes import class_names
from index_builder.demo.features import classifier, load_trunk
from index_builder.demo.packages import STAMPS
from index_builder.demo.pictures import composite
from index_builder.demo.quality import Quality, measure
from index_builder.demo.recipe import Recipe
from index_builder.demo.texts import MEASURED_TEMPLATE
from index_builder.demo.uploads import PHOTOGRAPHS, photograph_path

_LETTERS = ("alphabets", "math", "money", "numbers")  # stamps of characters and coins
_THINGS = (
    "cat,dog,horse,bird,a cup of coffee,banana,astronaut,rocket,galaxy,stars in the night sky,flower,temple,camera,car,"
    "motorcycle,flag,apple,clock,tree,house,person,guitar,helmet,photographer,spider,pizza,ship,mountain,chair,book"
).split(",")


class ShippedEncoder:
    """The model directory as open_clip loads it."""

    def __init__(self, folder: Path) -> None:
        model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
        self.model, self.preprocess = model.eval(), preprocess
        self.tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")

    @torch.inference_mode()
    def images(self, pictures: Sequence[Image.Image]) -> Float[Tensor, "n d_embed"]:
        """Unit embeddings of pictures."""
        tensors = [self.preprocess(picture) for picture in pictures]
        found = [self.model.encode_image(torch.stack(tensors[at : at + 32])) for at in range(0, len(tensors), 32)]
        return F.normalize(torch.cat(found), dim=-1)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Float[Tensor, "n d_embed"]:
        """Unit embeddings of texts."""
        return F.normalize(self.model.encode_text(self.tokenizer(list(texts))), dim=-1)


def held_out_quality(recipe: Recipe) -> Quality:
    """On the tar's pictures that training did not see."""
    rows = [row for row, held in enumerate(recipe.held_out) if held]
    pictures = [Image.open(io.BytesIO(recipe.pictures.webp[row])).convert("RGB") for row in rows]
    return _quality(recipe, pictures, [recipe.pictures.facts[row]["caption"] for row in rows])


def stamps_quality(recipe: Recipe) -> Quality:
    """On pictures of a source that nothing was trained on: Tux Paint's stamps, many of them photographs."""
    root = STAMPS.folder(recipe.scratch) / "usr/share/tuxpaint/stamps"
    paths = [path for path in sorted(root.rglob("*.png")) if path.with_suffix(".txt").exists()]
    paths = [path for path in paths if not any(word in str(path.relative_to(root)) for word in _LETTERS)]
    captions = [path.with_suffix(".txt").read_text("utf-8").splitlines()[0].strip(" .").lower() for path in paths]
    return _quality(recipe, [composite(path) for path in paths], captions)


@torch.inference_mode()
def _quality(recipe: Recipe, pictures: list[Image.Image], captions: list[str]) -> Quality:
    encoder = ShippedEncoder(recipe.encoder)
    trunk = load_trunk(recipe.scratch)
    trunk.reset_classifier(0)  # type: ignore[operator]
    tensors = torch.stack([encoder.preprocess(picture) for picture in pictures])
    features = torch.cat([trunk(tensors[at : at + 32]) for at in range(0, len(tensors), 32)])
    probabilities = classifier(recipe.scratch)(features).softmax(-1)
    names = encoder.texts([MEASURED_TEMPLATE.format(synonyms[0]) for synonyms in class_names()])
    images = F.normalize(encoder.model.visual.head(features), dim=-1)
    return measure(images, encoder.texts(captions), names, probabilities)


def photograph_words(recipe: Recipe) -> dict[str, list[str]]:
    """The three of a few dozen words that lie nearest to each upload photograph."""
    encoder = ShippedEncoder(recipe.encoder)
    images = encoder.images([Image.open(photograph_path(recipe.scratch, p)).convert("RGB") for p in PHOTOGRAPHS])
    nearest = (images @ encoder.texts(_THINGS).T).topk(3, dim=-1).indices.tolist()
    return {p.title: [_THINGS[word] for word in row] for p, row in zip(PHOTOGRAPHS, nearest, strict=True)}
