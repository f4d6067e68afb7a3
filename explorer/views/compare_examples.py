"""Comparisons to begin with: of this store, the same ones every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer import links
from explorer.views.resolved import Resolved
from explorer.views.striking import striking
from explorer.views.tiles import Tile, first_shown, tiles
from sae_core import LatentStore

N_TILES = 4


@dataclass(frozen=True)
class Example:
    """Two choices, and why they are worth a look."""

    title: str
    why: str
    href: str
    a: tuple[Tile, ...]
    b: tuple[Tile, ...]


def build_examples(store: LatentStore) -> tuple[Example, ...]:
    """Two common labels, two near pictures, two striking latents; what the store has of it."""
    found = (_two_labels(store), near(store, first_shown(store, store.n_images // 2)), _two_latents(store))
    return tuple(example for example in found if example)


def examples_with(store: LatentStore, chosen: Resolved) -> tuple[Example, ...]:
    """What a choice may be compared with: its nearest other picture, the most common other label."""
    said = chosen.selection.said
    same = set(chosen.image_ids.tolist())
    close = store.nearest_images(chosen.centre, len(same) + 1).ids.tolist()
    other = next((number for number in close if number not in same and not store.is_hidden(number)), None)
    found = []
    if other is not None:
        mine = chosen.image_ids[:N_TILES].tolist()
        found.append(
            _example(store, "the nearest other picture", "by cosine", (said, f"image:{other}"), (mine, [other]))
        )
    codes = [code for code in _common(store) if code != chosen.label]
    if codes:
        members = store.images_of_label(codes[0])[:N_TILES].tolist()
        title = f"the pictures labelled “{store.labels.titles[codes[0]]}”"
        label = f"label:{store.labels.names[codes[0]]}"
        mine = chosen.image_ids[:N_TILES].tolist()
        found.append(_example(store, title, "a common label", (said, label), (mine, members)))
    return tuple(found)


def near(store: LatentStore, image_id: int | None) -> Example | None:
    """A picture and the most similar other one."""
    if image_id is None:
        return None
    close = store.nearest_images(store.embedding(image_id), 2).ids.tolist()
    found = [number for number in close if number != image_id and not store.is_hidden(number)][:1]
    if not found:
        return None
    said = (f"image:{image_id}", f"image:{found[0]}")
    return _example(store, "Two near pictures", "neighbours by cosine", said, ([image_id], found))


def _two_labels(store: LatentStore) -> Example | None:
    codes = _common(store)[:2]
    if len(codes) < 2:
        return None
    titles, names = store.labels.titles, store.labels.names
    members = [store.images_of_label(code)[:N_TILES].tolist() for code in codes]
    said = [f"label:{names[code]}" for code in codes]
    return _example(store, " and ".join(f"“{titles[code]}”" for code in codes), "two common labels", said, members)


def _two_latents(store: LatentStore) -> Example | None:
    latents = striking(store.latents, 2)
    if len(latents) < 2:
        return None
    members = [store.gallery(latent, 0, N_TILES).image_ids.tolist() for latent in latents]
    said = [f"latents:{latent}" for latent in latents]
    return _example(store, f"#{latents[0]} and #{latents[1]}", "two striking latents’ pictures", said, members)


def _common(store: LatentStore) -> list[int]:
    """Labels that pictures carry and that are shown, most common first."""
    counts = np.asarray(store.labels.counts)
    found = np.argsort(-counts, kind="stable").tolist()
    return [code for code in found if counts[code] and code not in store.labels.hidden]


def _example(
    store: LatentStore, title: str, why: str, said: Sequence[str], members: Sequence[Sequence[int]]
) -> Example:
    """`said` and `members` of either side."""
    href = links.compare_url({"a": said[0], "b": said[1]})
    return Example(title, why, href, tiles(store, members[0]), tiles(store, members[1]))
