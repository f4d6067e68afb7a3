"""What the API answers with."""

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


class LatentAnswer(BaseModel):
    """A latent with its figures; null where there is none."""

    latent: int
    name: str | None = Field(description="a person's, otherwise the automatic one where it is good")
    name_score: float | None = Field(description="held-out AUC of the automatic name; baseline 0.5")
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


class ActiveLatent(BaseModel):
    """A latent of a sparse code."""

    latent: int
    name: str | None
    activation: float


class ImageAnswer(BaseModel):
    """An image with its sparse code."""

    image: int
    source_key: str
    label: str | None
    caption: str | None
    width: int
    height: int
    thumbnail: str | None = Field(description="address of the small picture, relative to the app's root")
    code: list[ActiveLatent]


class Similar(BaseModel):
    """Something near, with its cosine."""

    id: int
    name: str | None = None
    cosine: Cosine


class FoundLatent(Similar):
    """A latent near a text."""

    z: float | None = Field(
        description="standard deviations above the mean cosine of all latents; null where these have none"
    )


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


class MatchesAnswer(BaseModel):
    """Images in which latents are active together."""

    n: int
    start: int
    images: list[Activation]


class UploadAnswer(BaseModel):
    """The sparse code of an upload; nothing of it is kept."""

    code: list[ActiveLatent]
    cosine: float = Field(description="between the embedding and its reconstruction")
    nearest: list[Similar]
