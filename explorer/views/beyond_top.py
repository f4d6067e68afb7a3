"""What the strongest pictures do not show: the middle and the weakest of a gallery, and pictures just below it.

The top of a gallery alone makes most latents look cleaner than they are (the "interpretability illusion",
arXiv 2104.07143).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from explorer import links
from explorer.views.tiles import Tile, tiles
from sae_core import LatentStore

N_EACH = 5
MIN_ACTIVE = 18  # of fewer the gallery's first rows show all there are


@dataclass(frozen=True)
class Beyond:
    """A few pictures of one kind."""

    kind: str  # "middle", "weakest" or "near"
    image_ids: tuple[int, ...]
    figures: tuple[float, ...]  # activations; of near misses pre-activations
    href: str  # where more of them are
    tiles: tuple[Tile, ...] = ()


def beyond_top(store: LatentStore, latent: int, per_page: int) -> tuple[Beyond, ...]:
    """Middle and weakest of a gallery that is not seen at one look, and near misses where there are any."""
    return (*_members(store, latent, per_page), *_near_misses(store, latent))


def with_tiles(
    store: LatentStore, image_ids: Sequence[int], figures: Sequence[float], groups: Sequence[Beyond]
) -> tuple[tuple[Tile, ...], tuple[Beyond, ...]]:
    """The pictures of a gallery and those of the groups, looked up at once."""
    ids = [*image_ids, *(image_id for group in groups for image_id in group.image_ids)]
    pictures = list(tiles(store, ids, [*figures, *(figure for group in groups for figure in group.figures)]))
    shown, pictures = tuple(pictures[: len(image_ids)]), pictures[len(image_ids) :]
    filled = []
    for group in groups:
        own, pictures = pictures[: len(group.image_ids)], pictures[len(group.image_ids) :]
        name = "pre-activation" if group.kind == "near" else "activation"
        filled.append(replace(group, tiles=tuple(replace(tile, figure_name=name) for tile in own)))
    return shown, tuple(filled)


def middle_ranks(n_active: int) -> tuple[int, int]:
    """The N_EACH ranks about the median, from 0, the end left out."""
    start = (n_active - N_EACH) // 2
    return start, start + N_EACH


def _members(store: LatentStore, latent: int, per_page: int) -> tuple[Beyond, ...]:
    n_active = store.gallery_size(latent)
    if n_active < MIN_ACTIVE:
        return ()
    ranks = {"middle": middle_ranks(n_active), "weakest": (n_active - N_EACH, n_active)}
    found = {kind: store.gallery(latent, *these) for kind, these in ranks.items()}
    return tuple(
        Beyond(
            kind,
            tuple(part.image_ids.tolist()),
            tuple(part.activations.tolist()),
            links.latent_url(latent, ranks[kind][0] // per_page + 1),
        )
        for kind, part in found.items()
    )


def _near_misses(store: LatentStore, latent: int) -> tuple[Beyond, ...]:
    missed = store.near_misses(latent)
    if not len(missed.image_ids):
        return ()
    ids, figures = missed.image_ids[:N_EACH].tolist(), missed.pre_activations[:N_EACH].tolist()
    return (Beyond("near", tuple(ids), tuple(figures), links.latent_url(latent, view="near")),)
