"""What the API answers with about images and uploads."""

from __future__ import annotations

from pydantic import BaseModel, Field

from explorer.api.answers import ActiveLatent, Cosine


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


class SimilarImage(BaseModel):
    """An image that is near, with its cosine."""

    image: int
    id: int = Field(description="the same as image, for older scripts", deprecated=True)
    cosine: Cosine


class UploadAnswer(BaseModel):
    """The sparse code of an upload; nothing of it is kept."""

    code: list[ActiveLatent]
    cosine: float = Field(description="between the embedding and its reconstruction")
    notes: list[str] = Field(
        description="what the encoder saw instead of the whole picture, in words: its middle alone, white for what is "
        "transparent, the first frame of several; empty where there is nothing to say"
    )
    nearest: list[SimilarImage]
