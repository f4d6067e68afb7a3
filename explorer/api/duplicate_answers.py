"""What the API answers with about latents that may be duplicates."""

from __future__ import annotations

from pydantic import BaseModel, Field

from explorer.api.answers import Cosine


class AlikeLatents(BaseModel):
    """Two latents."""

    latents: list[int] = Field(description="both, the lower number first")
    cosine: Cosine = Field(description="of their directions")
    n_both: int = Field(description="images in which both are active")
    jaccard: float = Field(description="that, over images in which at least one is")
    jaccard_by_chance: float


class DuplicatesAnswer(BaseModel):
    """How redundant the latents are."""

    n_asked: int = Field(description="latents whose nearest was sought: all that are not dead, or as many drawn")
    n_close: int = Field(description="of them, those whose nearest direction has a cosine above 0.9")
    nearest_cosine: Cosine = Field(description="median of the cosine with the nearest other direction")
    nearest_cosine_covariance: Cosine = Field(
        description="baseline: in a dictionary of as many random directions with the images' covariance"
    )
    nearest_cosine_isotropic: Cosine = Field(description="the same of isotropic ones")
    closest: list[AlikeLatents] = Field(description="by cosine, highest first")
    overlapping: list[AlikeLatents] = Field(
        description="by shared images, most first; of latents active in 12 or more that the store names as active "
        "together"
    )
