"""A choice of pictures as a page shows it: what it is, some of its pictures, where it leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer import links
from explorer.views.resolved import Resolved
from explorer.views.tiles import Tile, tiles
from explorer.wording import plural
from sae_core import LatentStore

N_TILES = 12


@dataclass(frozen=True)
class Side:
    """One choice, shown."""

    said: str  # as it stands in the address
    title: str
    what: str  # which pictures these are
    tiles: tuple[Tile, ...]  # some of them; none for an upload
    upload: bool
    n_pictures: int
    n_active: int  # latents active in at least one of them

    @property
    def spans_href(self) -> str:
        """What its directions span."""
        return links.spans_url({"of": self.said})

    @property
    def inspect_href(self) -> str | None:
        """Its sparse code, where it is one picture."""
        if self.upload:
            return links.inspect_url() if self.said == "upload" else None  # Inspect shows the last one
        return self.tiles[0].href if self.n_pictures == 1 else None


def build_side(store: LatentStore, resolved: Resolved) -> Side:
    """The choice with pictures from all over it."""
    n = len(resolved.embeddings)
    some = np.unique(np.linspace(0, n - 1, min(n, N_TILES)).round().astype(int))
    return Side(
        said=resolved.selection.said,
        title=resolved.title,
        what=_what(resolved),
        tiles=tiles(store, resolved.image_ids[some].tolist()) if len(resolved.image_ids) else (),
        upload=resolved.selection.kind == "upload",
        n_pictures=n,
        n_active=len(active_latents(resolved)),
    )


def active_latents(resolved: Resolved) -> np.ndarray:
    """Latents active in at least one picture, `[m]`, rising."""
    return np.unique(resolved.indices[resolved.activations > 0])


def span_latents(resolved: Resolved) -> list[int]:
    """The latents whose directions stand for a choice: the chosen ones, or its k strongest by mean activation.

    Fewer than k where fewer are active; none where none is.
    """
    return list(resolved.latents) if resolved.latents else ranked_latents(resolved)[: resolved.indices.shape[1]]


def ranked_latents(resolved: Resolved) -> list[int]:
    """All active latents by mean activation over the pictures, strongest first, ties by number."""
    return ranked(resolved.indices, resolved.activations)


def ranked(indices: np.ndarray, activations: np.ndarray) -> list[int]:
    """The same of codes `[m, k]`."""
    active = activations > 0
    latents, where = np.unique(indices[active], return_inverse=True)
    sums = np.bincount(where.ravel(), activations[active], minlength=len(latents))
    return [int(latent) for latent in latents[np.lexsort((latents, -sums))]]


def _what(resolved: Resolved) -> str:
    n, found = len(resolved.embeddings), resolved.n_found
    kind = resolved.selection.kind
    if kind == "image":
        return "a picture of the store" if n == 1 else "pictures of the store"
    if kind == "upload":
        which = "your picture before the last one" if resolved.selection.value else "your picture"
        return f"{which}, kept in this session only"
    if kind == "text":
        return f"the {plural(n, 'picture')} nearest to these words"
    every = f"all {plural(n, 'picture')}" if n > 1 else "the only picture"
    if kind == "label":
        return f"{every} with this label" if n == found else f"{n} of {plural(found, 'picture')}, drawn"
    if n == found:
        return f"{every} where one of them is active"
    return f"the {n} strongest of {plural(found, 'picture')} where one of them is active"
