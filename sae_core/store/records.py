"""What the store answers with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from jaxtyping import Float32, Float64, Int32, Int64
from numpy import ndarray


class Gallery(NamedTuple):
    """Images of one latent, strongest activation first; ties by image id."""

    image_ids: Int64[ndarray, "m"]
    activations: Float32[ndarray, "m"]  # all > 0


class NearMisses(NamedTuple):
    """Images in which a latent is not active although its pre-activation is high; highest first."""

    image_ids: Int64[ndarray, "m"]
    pre_activations: Float32[ndarray, "m"]  # all > 0
    thresholds: Float32[ndarray, "m"]  # what it would have had to exceed in each image


class ActivationHistogram(NamedTuple):
    """How many images have which activation."""

    counts: Int64[ndarray, "n_bins"]
    edges: Float32[ndarray, "n_bins+1"]  # 0 … the strongest activation


class LabelProfile(NamedTuple):
    """The most common labels of a gallery, by decile of activation."""

    codes: Int32[ndarray, "m"]  # into LabelColumn
    counts: Int64[ndarray, "m 10"]  # images; column 0 is decile 1, the weakest


class Coactive(NamedTuple):
    """Latents that are active together with one more often than chance, most certainly so first."""

    latents: Int64[ndarray, "m"]
    n_both: Int64[ndarray, "m"]  # images in which both are active
    lifts: Float32[ndarray, "m"]  # times as often as by chance, if only their number in an image ties latents
    lifts_low: Float32[ndarray, "m"]  # the same with the lower 95 % bound of the count: what ranks them


class CoactivePairs(NamedTuple):
    """Pairs of latents that are active together more often than chance, each once, `first` the lower number."""

    first: Int64[ndarray, "m"]
    second: Int64[ndarray, "m"]
    n_both: Int64[ndarray, "m"]  # images in which both are active


class Effects(NamedTuple):
    """How a direction moves the labels' scores: the strongest rises, then the strongest falls."""

    labels: Int64[ndarray, "m"]  # into LabelColumn
    cosines: Float32[ndarray, "m"]  # between the direction and the label's text embedding
    z: Float32[ndarray, "m"]  # (cosine - mean over all latents) / standard deviation over all latents


class Matches(NamedTuple):
    """Images that a boolean query over latents finds, strongest first; ties by image id."""

    image_ids: Int64[ndarray, "m"]
    strengths: Float32[ndarray, "m"]


class SparseCode(NamedTuple):
    """Active latents of one image, strongest first."""

    latents: Int64[ndarray, "m"]  # m <= k
    activations: Float32[ndarray, "m"]  # all > 0


class KeptCode(NamedTuple):
    """Everything that Top-K kept of one embedding, strongest first, also what is not active."""

    latents: Int64[ndarray, "k"]
    activations: Float32[ndarray, "k"]  # those <= 0 are not active, but belong to the reconstruction


class Moments(NamedTuple):
    """Sums over the embeddings of either half of a store (`sae_core.halves`), memory-mapped."""

    counts: Int64[ndarray, "2"]  # images
    sums: Float64[ndarray, "2 d_embed"]
    products: Float64[ndarray, "2 d_embed d_embed"]  # of outer products
    label_counts: Int64[ndarray, "2 n_labels"]
    label_sums: Float64[ndarray, "2 n_labels d_embed"]


class Neighbours(NamedTuple):
    """Nearest images or latents, most similar first."""

    ids: Int64[ndarray, "m"]
    similarities: Float32[ndarray, "m"]  # cosines, -1 … 1


@dataclass(frozen=True)
class ImageRecord:
    """One indexed image."""

    image_id: int
    source_key: str  # path relative to the source
    label: str | None
    caption: str | None
    split: str | None
    width: int  # pixels of the original, after the EXIF turn
    height: int
    sha256: str  # of the original's bytes
    title: str | None = None  # the label as people read it
    hidden: bool = False  # withheld: nothing but image_id is said


class Thumbnail(NamedTuple):
    """A small picture, encoded."""

    data: bytes
    media_type: str  # image/webp, image/jpeg or image/png


class LabelColumn(NamedTuple):
    """The labels of all images, as codes."""

    codes: Int32[ndarray, "n_images"]  # -1: no label; memory-mapped
    names: list[str]  # as the source has them
    titles: list[str]  # as people read them: "goldfish" for "n01443537"
    counts: Int64[ndarray, "n_labels"]  # images of each
    hidden: frozenset[int] = frozenset()  # codes that are withheld: their names say no more than that

    def offered(self, most: int) -> list[str]:
        """Titles to choose from, those of most images first."""
        ranked = (-self.counts).argsort(kind="stable").tolist()
        return list(islice((self.titles[code] for code in ranked if code not in self.hidden), most))


def folded_label(text: str) -> str:
    """How labels are compared: `Apple_pie` is `apple pie`."""
    return text.strip().replace("_", " ").casefold()
