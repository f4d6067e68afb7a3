"""Parts that several pages show: a reference to a latent, a latent's card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explorer import links
from explorer.directions import isolated
from explorer.views.cells import number_or_none, text_or_none
from explorer.views.names import LatentName, display_name, display_names
from explorer.views.striking import MIN_PICTURES
from explorer.views.tiles import Tile, tiles
from explorer.wording import latent_text, percent
from sae_core import LatentStore
from sae_core.store.hidden import WITHHELD


@dataclass(frozen=True)
class LatentRef:
    """A latent as it is named everywhere."""

    latent: int
    name: str | None  # None: unnamed
    density: float
    hint: str = ""  # why it is unnamed, or that a person named it
    hidden: bool = False  # withheld: a number, and nothing else
    by_clip: bool = False  # the name was judged by CLIP's similarity alone

    @property
    def href(self) -> str:
        """Its page."""
        return links.latent_url(self.latent)

    @property
    def text(self) -> str:
        """`#123 · citrus slices · 0.8 %`."""
        if self.hidden:
            return f"#{self.latent} · {WITHHELD}"
        return latent_text(self.latent, self.name and f"{self.sign}{isolated(self.name)}", self.density)

    @property
    def sign(self) -> str:
        """What stands before the name where there is no style to say it: "~", CLIP alone judged it."""
        return "~" if self.by_clip else ""

    @property
    def in_tables(self) -> str:
        """`~citrus slices`; empty where there is no name."""
        return f"{self.sign}{self.name}" if self.name else ""

    def in_plots(self, longest: int) -> str:
        """`#123 ~citrus sli…`, beside a bar or an axis: `longest` letters of the name."""
        name = self.name or "unnamed"
        short = name if len(name) <= longest else f"{name[: longest - 1]}…"
        return f"#{self.latent} {self.sign}{isolated(short)}"

    @property
    def dead(self) -> bool:
        """Active in no picture of this store. What is withheld may or may not be."""
        return self.density == 0 and not self.hidden


@dataclass(frozen=True)
class LatentCard:
    """A latent with its strongest pictures."""

    ref: LatentRef
    tiles: tuple[Tile, ...]
    top_label: str | None
    purity: float | None  # share of the gallery with top_label
    figure: float | None = None  # why it is shown here: a similarity, an activation
    n_active: int = 0  # pictures in the gallery

    @property
    def n_labelled(self) -> int:
        """Pictures of the gallery with top_label."""
        return round((self.purity or 0.0) * self.n_active)

    @property
    def purity_text(self) -> str:
        """`88 %`, to be read with “labelled birds”; `7 of its 8` where a share would promise too much of few."""
        if self.n_active >= MIN_PICTURES:
            return percent(self.purity or 0.0)
        if self.n_labelled == self.n_active:
            return "its one picture" if self.n_active == 1 else f"all its {self.n_active:,}"
        return f"{self.n_labelled:,} of its {self.n_active:,}"


def latent_ref(store: LatentStore, latent: int) -> LatentRef:
    """Number, name and density. Raises IndexError where there is no such latent."""
    if not 0 <= latent < store.n_latents:
        raise IndexError(f"there is no latent {latent}; this store has 0 … {store.n_latents - 1:,}")
    density: Any = store.latents.at[latent, "density"]
    return _ref(store, latent, display_name(store, latent), float(density))


def latent_refs(store: LatentStore, latents: Sequence[int]) -> list[LatentRef]:
    """The same of many, whose names are looked up together. Raises KeyError where there is no such latent."""
    densities = store.latents["density"].to_numpy()
    named = zip(latents, display_names(store, latents), strict=True)
    return [_ref(store, latent, name, float(densities[latent])) for latent, name in named]


def _ref(store: LatentStore, latent: int, name: LatentName, density: float) -> LatentRef:
    if latent in store.hidden.latents:
        return LatentRef(latent, None, 0.0, "withheld by those who share this store", hidden=True)
    return LatentRef(latent, name.text, density, name.hint, by_clip=name.by_clip)


def latent_card(store: LatentStore, latent: int, n_tiles: int = 9, figure: float | None = None) -> LatentCard:
    """A latent with its n strongest pictures."""
    row: Any = store.latents.loc[latent]
    gallery = store.gallery(latent, 0, n_tiles)
    return LatentCard(
        ref=latent_ref(store, latent),
        tiles=tiles(store, gallery.image_ids.tolist(), gallery.activations.tolist()),
        top_label=text_or_none(row["top_label"]),
        purity=number_or_none(row["label_purity"]),
        figure=figure,
        n_active=int(row["n_active"]),
    )
