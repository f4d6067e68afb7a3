"""Pictures: by what is active in them and what is said of them, and as many as chance would give."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.views.chance import EmbedTexts
from explorer.views.latent_table import MAX_LABELS
from explorer.views.meant import Meant
from explorer.views.paging import Paging, paging
from explorer.views.parts import LatentRef, latent_ref
from explorer.views.pictures_chance import Chance, by_chance
from explorer.views.pictures_examples import Example, build_examples
from explorer.views.pictures_found import NOTHING, Found, find, matches
from explorer.views.pictures_meaning import Meaning
from explorer.views.pictures_meant import build_meant
from explorer.views.pictures_problems import problem_of
from explorer.views.pictures_query import FIELDS, MAX_LATENTS, SAID, Field, PicturesQuery, Said
from explorer.views.tiles import Tile, tiles
from sae_core import LatentStore

PER_PAGE = 48
_MAX_WAYS = 12  # conditions that are tried one by one when nothing is found: each is a search


@dataclass(frozen=True)
class Condition:
    """A latent in one of the three lists."""

    field: Field
    ref: LatentRef
    href: str  # the query without it


@dataclass(frozen=True)
class SaidCondition:
    """Words, a label or a text that is asked for."""

    name: Said
    value: str
    href: str  # the query without it


@dataclass(frozen=True)
class WayOut:
    """A condition that alone excludes everything."""

    text: str
    href: str  # the query without it
    n: int  # pictures that it then finds


@dataclass(frozen=True)
class PicturesPage:
    """One page of the pictures that a query finds."""

    query: PicturesQuery
    conditions: tuple[Condition, ...]
    problem: str | None  # a sentence: why nothing was searched
    meant: tuple[Meant, ...]  # words in place of numbers, as far as some latent is called so
    said: tuple[SaidCondition, ...]
    tiles: tuple[Tile, ...]
    paging: Paging  # of those that can be shown
    n: int  # pictures that match
    n_images: int  # in the store
    chance: Chance | None  # if the latents were independent; None where nothing can depend on anything
    meaning: Meaning | None  # where a text orders the pictures
    text_problem: str | None  # a sentence: why it could not
    labels: tuple[str, ...]  # to choose from
    has_captions: bool
    by_meaning: str | None  # nothing found: where the words are searched by their meaning, if they can be
    no_meaning: str  # nothing found: why they cannot be
    ways_out: tuple[WayOut, ...]  # where nothing is found
    untried: int  # conditions that were too many to be tried for a way out
    examples: tuple[Example, ...]  # where nothing is asked, or nothing but a text that cannot be encoded


def build_pictures(
    store: LatentStore, query: PicturesQuery, embed_texts: EmbedTexts | None = None, no_meaning: str = ""
) -> PicturesPage:
    """The pictures of one page, how many there are, and the baseline.

    `no_meaning`: why a search by meaning is not offered.
    """
    problem = problem_of(store, query)
    searched = query.names_pictures and problem is None
    found = find(store, query, embed_texts) if searched else NOTHING
    by_meaning = searched and query.q and not found.n
    asked = query.latents or query.names_pictures or query.unread
    unnamed = found.problem is not None and not query.saying(text="").names_pictures  # nothing but the text did
    ways = _conditions_to_drop(query) if searched and query.narrows and not found.n else []
    pages = paging(query.page, len(found.image_ids), PER_PAGE, query.url)
    return PicturesPage(
        query=query,
        conditions=_conditions(store, query),
        problem=found.problem if unnamed else problem,
        meant=build_meant(store, query),
        said=tuple(
            SaidCondition(name, value, query.saying(**{name: ""}).url()) for name in SAID if (value := query.said(name))
        ),
        tiles=_tiles(store, found, pages),
        paging=pages,
        n=found.n,
        n_images=store.n_images,
        chance=by_chance(store, query) if searched else None,
        meaning=found.meaning,
        text_problem=None if unnamed else found.problem,
        labels=tuple(store.labels.offered(MAX_LABELS)),
        has_captions=store.has_captions,
        by_meaning=query.saying(q="", text=query.q).url() if by_meaning and not no_meaning else None,
        no_meaning=no_meaning if by_meaning and not query.text else "",
        ways_out=_ways_out(store, ways[:_MAX_WAYS]),
        untried=max(len(ways) - _MAX_WAYS, 0),
        examples=build_examples(store) if unnamed or not asked else (),
    )


def _tiles(store: LatentStore, found: Found, pages: Paging) -> tuple[Tile, ...]:
    shown = slice(pages.start, pages.stop)
    figures = None if found.figures is None else found.figures[shown].tolist()
    return tiles(store, found.image_ids[shown].tolist(), figures, figure_name=found.figure_name)


def _conditions(store: LatentStore, query: PicturesQuery) -> tuple[Condition, ...]:
    return tuple(
        Condition(field, latent_ref(store, latent), query.without(field, latent).url())
        for field in FIELDS
        for latent in query.of(field)[:MAX_LATENTS]  # of more the field tells: each one's way out names all others
        if latent < store.n_latents
    )


def _conditions_to_drop(query: PicturesQuery) -> list[tuple[str, PicturesQuery]]:
    """Each of all and none, "any of" as a whole, words and the label, with the query that does without it."""
    said: tuple[Said, ...] = ("q", "label")
    less = [(f"{SAID[name]}: {query.said(name)}", query.saying(**{name: ""})) for name in said if query.said(name)]
    if query.any_of:
        less.append(("any of", query.without("any_of", *query.any_of)))
    less += [(f"#{latent}", query.without("all_of", latent)) for latent in query.all_of]
    less += [(f"none of #{latent}", query.without("none_of", latent)) for latent in query.none_of]
    return [(text, rest) for text, rest in less if rest.names_pictures]


def _ways_out(store: LatentStore, ways: list[tuple[str, PicturesQuery]]) -> tuple[WayOut, ...]:
    """Conditions without which something is found."""
    counted = [(text, less, len(matches(store, less).image_ids)) for text, less in ways]
    return tuple(WayOut(text, less.url(), n) for text, less, n in counted if n)
