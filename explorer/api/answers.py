"""What the API answers with about the store, its latents and what is found among them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

Cosine = Annotated[float, Field(ge=-1.001, le=1.001)]


class StoreAnswer(BaseModel):
    """What the store is; figures over all of its images."""

    name: str
    version: str
    n_images: int
    n_latents: int
    k: int
    d_embed: int
    encoder: str = Field(description="fingerprint of weights, architecture and preprocessing")
    sae: str = Field(description="fingerprint of configuration and weights")
    fvu: float | None
    cosine: float | None
    random_pair_cosine: float | None = Field(description="baseline of the cosine")
    random_fvu: float | None = Field(description="baseline of the FVU: a dictionary of as many random directions")
    picture_fvu: float | None = Field(description="its harder baseline: a dictionary of as many random pictures")
    l0: float
    n_dead: int
    n_withheld_latents: int = Field(description="on the hide-list of those who share the store")
    n_withheld_images: int
    demonstration: bool


class Named(BaseModel):
    """What a latent is called, and how sure that is; null where there is none."""

    name: str | None = Field(description="a person's, otherwise the automatic one where it is good")
    name_from_a_person: bool = Field(description="then the score, its bound and its match are not this name's")
    name_score: float | None = Field(
        description="held-out AUC of the automatic name, or of the best guess where none is good; baseline 0.5"
    )
    name_low: float | None = Field(description="lower 95 % bound of that score")
    name_match: str | None = Field(
        description="what that score was measured on: text (labels and captions) or clip (CLIP's similarity, which "
        "likes some name for most directions)"
    )
    name_borne_out: bool = Field(
        description='whether labels or captions bear the automatic name out; the pages write "~" before one '
        "that they do not"
    )


class LatentAnswer(Named):
    """A latent with its figures; null where there is none."""

    latent: int
    density: float
    n_active: int
    max_activation: float
    mean_activation: float
    top_label: str | None
    label_purity: float | None
    monosemanticity: float | None
    split_half: float | None


class LatentsAnswer(BaseModel):
    """Some of the latents, in the order asked for."""

    n: int = Field(description="all that there are")
    latents: list[LatentAnswer]


class Control(BaseModel):
    """A direction through the same embeddings, with the figures that a latent has; null where there is none."""

    kind: str = Field(description="covariance, isotropic (random ones), or latent (that latent's own direction)")
    like_latent: int = Field(description="the latent whose density it has")
    n_active: int
    name: str | None = Field(description="the automatic one where it is good")
    name_score: float | None
    name_low: float | None
    name_match: str | None
    name_borne_out: bool
    top_label: str | None
    label_purity: float | None
    monosemanticity: float | None
    split_half: float | None


class Activation(BaseModel):
    """An image of a gallery."""

    image: int | None = Field(description="null: withheld by those who share the store")
    activation: float


class GalleryAnswer(BaseModel):
    """Part of a gallery, strongest first."""

    latent: int
    n: int = Field(description="size of the whole gallery")
    start: int
    images: list[Activation]


class ActiveLatent(Named):
    """A latent of a sparse code."""

    latent: int
    activation: float


class SimilarLatent(Named):
    """A latent that is near, with its cosine."""

    latent: int
    id: int = Field(description="the same as latent, for older scripts", deprecated=True)
    cosine: Cosine


class FoundLatent(SimilarLatent):
    """A latent near a text."""

    z: float | None = Field(
        description="standard deviations above the mean cosine of all latents; null where these have none"
    )


class TellingLatent(Named):
    """A latent that tells a label's pictures from the rest."""

    latent: int
    phi: float = Field(description="correlation of being active and having the label; 1: the same pictures, 0: chance")
    n_both: int = Field(description="pictures of the label in which it is active")
    n_active: int = Field(description="all pictures in which it is active")


class TellingAnswer(BaseModel):
    """Latents by how well they tell a label's pictures from all others, best first."""

    label: str
    n_images: int = Field(description="pictures that carry the label")
    phi_by_chance: float = Field(
        description="the best latent's, for as many pictures drawn at random: one draw in twenty has more"
    )
    latents: list[TellingLatent]


class SearchControl(BaseModel):
    """What the z of the best latent is worth: 256 meaningless strings of letters have one, too."""

    median: float | None
    high: float | None = Field(description="one string in twenty has more")


class SearchAnswer(BaseModel):
    """Latents for a text, best first."""

    n_characters: int = Field(
        description="of the text, from its start, that the encoder read; fewer than it has where it is too long"
    )
    control: SearchControl
    stands_out: bool = Field(description="whether the best latent's z is above the control's `high`")
    latents: list[FoundLatent]
