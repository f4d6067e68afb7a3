"""Pictures: those in which latents are active together, and as many as chance would give."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import prod

import numpy as np

from explorer.recent import RecentArrays
from explorer.views.paging import Paging, paging
from explorer.views.parts import LatentRef, Tile, latent_ref, tiles
from explorer.views.pictures_meant import Meant, build_meant
from explorer.views.pictures_query import FIELDS, MAX_LATENTS, Field, PicturesQuery
from explorer.views.striking import striking
from sae_core import LatentStore
from sae_core.store.records import Matches

PER_PAGE = 48
N_EXAMPLES = 3
N_EXAMPLE_TILES = 8
_MAX_WAYS = 12  # conditions that are tried one by one when nothing is found
_recent = RecentArrays(32 * 2**20)


@dataclass(frozen=True)
class Condition:
    """A latent in one of the three lists."""

    field: Field
    ref: LatentRef
    href: str  # the query without it


@dataclass(frozen=True)
class WayOut:
    """A condition that alone excludes everything."""

    text: str
    href: str  # the query without it
    n: int  # pictures that it then finds


@dataclass(frozen=True)
class Example:
    """A query to begin with, and what it finds."""

    refs: tuple[LatentRef, ...]
    href: str
    n: int  # pictures
    expected: float  # pictures, if the latents were independent
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class PicturesPage:
    """One page of the pictures that a query finds."""

    query: PicturesQuery
    conditions: tuple[Condition, ...]
    problem: str | None  # a sentence: why nothing was searched
    meant: tuple[Meant, ...]  # words in place of numbers, as far as some latent is called so
    tiles: tuple[Tile, ...]
    paging: Paging
    n_images: int  # in the store
    expected: float | None  # pictures, if the latents were independent; None where one latent is all
    ways_out: tuple[WayOut, ...]  # where nothing is found
    examples: tuple[Example, ...]  # where nothing is asked


def build_pictures(store: LatentStore, query: PicturesQuery) -> PicturesPage:
    """The pictures of one page, how many there are, and the baseline."""
    problem = _problem(store, query)
    searched = bool(query.latents) and problem is None
    found = _matches(store, query) if searched else Matches(np.zeros(0, np.int64), np.zeros(0, np.float32))
    pages = paging(query.page, len(found.image_ids), PER_PAGE, query.url)
    shown = slice(pages.start, pages.stop)
    return PicturesPage(
        query=query,
        conditions=_conditions(store, query),
        problem=problem,
        meant=build_meant(store, query),
        tiles=tiles(store, found.image_ids[shown].tolist(), found.strengths[shown].tolist(), figure_name="strength"),
        paging=pages,
        n_images=store.n_images,
        expected=expected(store, query) if searched and len(query.latents) > 1 else None,
        ways_out=_ways_out(store, query) if searched and not len(found.image_ids) else (),
        examples=() if query.latents or query.unread else _examples(store),
    )


def expected(store: LatentStore, query: PicturesQuery) -> float:
    """Pictures that would match if latents were active independently, each at its density: the product rule."""
    density = store.latents["density"]
    share = prod(float(density[latent]) for latent in query.all_of)
    share *= prod(1 - float(density[latent]) for latent in query.none_of)
    if query.any_of and not {*query.any_of} & {*query.all_of}:
        share *= 1 - prod(1 - float(density[latent]) for latent in query.any_of)
    return share * store.n_images


def _matches(store: LatentStore, query: PicturesQuery) -> Matches:
    """Kept for the next page of it."""
    asked = (query.all_of, query.any_of, query.none_of)
    image_ids, strengths = _recent.get((store.version, *asked), lambda: store.images_where(*asked))
    return Matches(image_ids, strengths)


def _problem(store: LatentStore, query: PicturesQuery) -> str | None:
    """Why the query cannot be answered, in a sentence."""
    if missing := _missing(store, query):
        return missing
    if both := {*query.all_of, *query.any_of} & {*query.none_of}:
        return f"Latent {min(both)} is asked for and excluded: no picture can match."
    if any(len(query.of(field)) > MAX_LATENTS for field in FIELDS):
        return f"One list takes {MAX_LATENTS} latents at most."
    if query.none_of and not query.all_of and not query.any_of:
        return "Exclusions alone name no picture: say which latents are active, too."
    return None


def _missing(store: LatentStore, query: PicturesQuery) -> str | None:
    """That a latent is not there, or not to be seen."""
    these = f"this store has latents 0 … {store.n_latents - 1:,}"
    if query.unread:
        return f"“{query.unread[0][1]}” is no number of a latent; {these}."
    if unknown := [latent for latent in query.latents if latent >= store.n_latents]:
        return f"There is no latent {', '.join(map(str, unknown))}; {these}."
    if withheld := sorted(store.hidden.latents.intersection(query.latents)):
        return f"Latent {withheld[0]} is withheld by those who share this store."
    return None


def _conditions(store: LatentStore, query: PicturesQuery) -> tuple[Condition, ...]:
    return tuple(
        Condition(field, latent_ref(store, latent), query.without(field, latent).url())
        for field in FIELDS
        for latent in query.of(field)
        if latent < store.n_latents
    )


def _ways_out(store: LatentStore, query: PicturesQuery) -> tuple[WayOut, ...]:
    """Conditions without which something is found: each of all and none, and "any of" as a whole."""
    tried: list[tuple[str, PicturesQuery]] = [
        (f"#{latent}", query.without("all_of", latent)) for latent in query.all_of
    ]
    if query.any_of:
        tried.append(("any of", query.without("any_of", *query.any_of)))
    tried += [(f"none of #{latent}", query.without("none_of", latent)) for latent in query.none_of]
    possible = ((text, less) for text, less in tried if less.all_of or less.any_of)
    counted = [(text, less, len(_matches(store, less).image_ids)) for text, less in islice(possible, _MAX_WAYS)]
    return tuple(WayOut(text, less.url(), n) for text, less, n in counted if n)


def _examples(store: LatentStore) -> tuple[Example, ...]:
    """Striking latents with the one that is most surely active together with them."""
    partners = ((latent, store.coactive(latent).latents) for latent in striking(store.latents, 4 * N_EXAMPLES))
    pairs = ((latent, int(found[0])) for latent, found in partners if len(found))
    return tuple(_example(store, PicturesQuery(all_of=pair)) for pair in islice(pairs, N_EXAMPLES))


def _example(store: LatentStore, query: PicturesQuery) -> Example:
    found = _matches(store, query)
    first = slice(0, N_EXAMPLE_TILES)
    return Example(
        refs=tuple(latent_ref(store, latent) for latent in query.all_of),
        href=query.url(),
        n=len(found.image_ids),
        expected=expected(store, query),
        tiles=tiles(store, found.image_ids[first].tolist(), found.strengths[first].tolist(), figure_name="strength"),
    )
