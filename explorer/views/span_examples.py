"""Choices to begin with on the Spans page: of this store, the same ones every time."""

from __future__ import annotations

import numpy as np

from explorer import links
from explorer.views.compare_examples import Example
from explorer.views.striking import striking
from explorer.views.tiles import first_shown, tiles
from sae_core import LatentStore

N_TILES = 8


def build_span_examples(store: LatentStore) -> tuple[Example, ...]:
    """A common label, a picture, two striking latents; what the store has of it."""
    found = []
    counts = np.array(store.labels.counts)
    counts[sorted(store.labels.hidden)] = 0
    if len(counts) and counts.max() > 0:
        code = int(counts.argmax())
        title, members = store.labels.titles[code], store.images_of_label(code)[:N_TILES].tolist()
        found.append(_example(store, f"“{title}”", "its commonest label", f"label:{store.labels.names[code]}", members))
    middle = first_shown(store, store.n_images // 3)
    if middle is not None:
        near = store.nearest_images(store.embedding(middle), N_TILES).ids.tolist()
        found.append(_example(store, "One picture and its neighbours", "by cosine", f"image:{middle}", near))
    latents = striking(store.latents, 2)
    if latents:
        said = "latents:" + links.numbers(latents)
        title = " and ".join(f"#{latent}" for latent in latents)
        members = store.images_where(any_of=latents).image_ids[:N_TILES].tolist()
        found.append(_example(store, f"Pictures of {title}", "striking latents", said, members))
    return tuple(found)


def _example(store: LatentStore, title: str, why: str, said: str, members: list[int]) -> Example:
    return Example(title, why, links.spans_url({"of": said}), tiles(store, members), ())
