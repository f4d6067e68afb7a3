"""What the API answers with where images are asked for by conditions."""

from __future__ import annotations

from pydantic import BaseModel, Field

from explorer.api.answers import SearchControl


class Match(BaseModel):
    """An image that was found."""

    image: int | None = Field(description="null: withheld by those who share the store")
    activation: float | None = Field(
        description="the smallest among all_of, without those the largest among any_of; null where neither is asked"
    )
    cosine: float | None = Field(description="with the text; null where none is asked")


class TextControl(BaseModel):
    """What a text's cosines are worth."""

    mean: float = Field(description="cosine, the mean over all images")
    z: float | None = Field(
        description="of the nearest image found: standard deviations above that mean; null where there is none"
    )
    control: SearchControl
    stands_out: bool = Field(description="whether that z is above the control's `high`")
    searched: int | None = Field(
        description="so many match that only the store's nearest so many were looked through; null: every cosine counts"
    )


class MatchesAnswer(BaseModel):
    """Images that were asked for: with a text the nearest first, otherwise the strongest."""

    n: int = Field(description="images that match")
    n_by_chance: float | None = Field(
        description="as many would match if latents were independent of each other, of label and words; null where "
        "there is nothing to be independent of, or no image with this label and these words"
    )
    n_listed: int = Field(description="of them `start` can reach: with a text the nearest, otherwise all")
    start: int
    images: list[Match]
    text: TextControl | None = Field(description="null where no text is asked")
