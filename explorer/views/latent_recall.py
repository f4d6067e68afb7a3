"""Of the pictures that carry a latent's commonest label, or its name: in how many it is active, and where it is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.views.names import LatentName
from explorer.views.pictures_found import said_mask
from explorer.views.pictures_query import PicturesQuery
from explorer.views.selection import label_code
from explorer.views.texts import folded
from sae_core import LatentStore

_MOST = 200_000  # pictures: of more, words take too long to be counted on the way (0.4 s each a million)


@dataclass(frozen=True)
class Recall:
    """What galleries hide."""

    text: str  # the label, or the name
    by_label: bool  # otherwise its words
    n_active: int | None  # of the pictures with it, those in which the latent is active; None: not counted
    n: int | None  # pictures with it
    href: str  # those in which it is not active

    @property
    def share(self) -> float | None:
        """Of the pictures with it, in how many the latent is active; the baseline is its density."""
        return None if self.n is None or self.n_active is None else self.n_active / self.n

    @property
    def n_missed(self) -> int | None:
        """Pictures with it in which the latent is not active."""
        return None if self.n is None or self.n_active is None else self.n - self.n_active


def recalls(store: LatentStore, latent: int, name: LatentName) -> tuple[Recall, ...]:
    """The commonest label, and the name where it is another; none of a latent that is active nowhere."""
    if not store.gallery_size(latent):
        return ()
    codes = store.label_profile(latent).codes[:1].tolist()
    found = [_of_label(store, latent, code) for code in codes if code not in store.labels.hidden]
    if name.text and (codes or store.has_captions) and folded(name.text) not in [folded(one.text) for one in found]:
        found.append(_of_name(store, latent, name.text))
    return tuple(one for one in found if one.n != 0)


def _of_label(store: LatentStore, latent: int, code: int) -> Recall:
    """From the builder's counts; where pictures are withheld, they do not count, as on the page that it leads to."""
    title = store.labels.titles[code]
    label = title if label_code(store, title) == code else store.labels.names[code]
    query = PicturesQuery(none_of=(latent,), label=label)
    if store.hidden:
        return _counted(store, latent, query, title)
    n_active, n = int(store.label_profile(latent).counts[0].sum()), int(store.labels.counts[code])
    return Recall(title, True, n_active, n, query.url())


def _of_name(store: LatentStore, latent: int, name: str) -> Recall:
    query = PicturesQuery(none_of=(latent,), q=name)
    if store.n_images > _MOST:
        return Recall(name, False, None, None, query.url())
    return _counted(store, latent, query, name)


def _counted(store: LatentStore, latent: int, query: PicturesQuery, text: str) -> Recall:
    mask = said_mask(store, query)
    n_active = int(np.count_nonzero(mask[store.gallery(latent).image_ids]))
    return Recall(text, bool(query.label), n_active, int(mask.sum()), query.url())
