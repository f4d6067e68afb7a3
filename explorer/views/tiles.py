"""A picture of the store as several pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer import links
from explorer.directions import isolated
from explorer.wording import activation
from sae_core import LatentStore
from sae_core.store.hidden import WITHHELD
from sae_core.store.records import ImageRecord

_MAX_STEPS = 10_000  # pictures that are passed over in search of one that is shown


@dataclass(frozen=True)
class Tile:
    """One picture of the store, as a link."""

    image_id: int
    href: str
    src: str | None  # None: the store was shared without its pictures
    caption: str  # what it shows, in words; also the alt text
    label: str | None
    figure: float | None = None  # an activation, or a cosine
    figure_name: str = "activation"
    lost_to: float | None = None  # of a near miss: the weakest activation that Top-K kept in this picture
    hidden: bool = False  # withheld: a place without a picture, and no link

    @property
    def hint(self) -> str:
        """What hovering tells: caption, label, figure."""
        figure = None if self.figure is None else f"{self.figure_name} {activation(self.figure)}"
        if figure and self.lost_to is not None:
            figure += f", lost to {activation(self.lost_to)}"
        label = self.label if self.label != self.caption else None
        return " · ".join(part for part in (isolated(self.caption), label and isolated(label), figure) if part)

    @property
    def figure_text(self) -> str:
        """The figure as it stands under the picture."""
        if self.figure is None:
            return ""
        if self.lost_to is None:
            return activation(self.figure)
        here, there = activation(self.figure), activation(self.lost_to)
        return f"{here} {'≈' if here == there else '<'} {there}"


def tiles(
    store: LatentStore,
    image_ids: Sequence[int],
    figures: Sequence[float] | None = None,
    figure_name: str = "activation",
) -> tuple[Tile, ...]:
    """Pictures in the given order; each leads to its own sparse code."""
    said: list[float | None] = [None] * len(image_ids) if figures is None else [float(f) for f in figures]
    records = store.images(image_ids)
    return tuple(_tile(store, record, figure, figure_name) for record, figure in zip(records, said, strict=True))


def first_shown(store: LatentStore, image_id: int) -> int | None:
    """This image, or the next one that is not withheld; None where a long row of them is."""
    ids = ((image_id + step) % store.n_images for step in range(min(store.n_images, _MAX_STEPS)))
    return next((found for found in ids if not store.is_hidden(found)), None)


def _tile(store: LatentStore, record: ImageRecord, figure: float | None, figure_name: str) -> Tile:
    if record.hidden:
        return Tile(record.image_id, "", None, WITHHELD, None, figure, figure_name, hidden=True)
    return Tile(
        image_id=record.image_id,
        href=links.inspect_url(record.image_id),
        src=links.thumbnail_url(store.version, record.image_id) if store.has_thumbnails else None,
        caption=record.caption or record.title or record.label or record.source_key,
        label=record.title or record.label,
        figure=figure,
        figure_name=figure_name,
    )
