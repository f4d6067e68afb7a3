"""What an edit of the code does, and the form that adds a latent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.sections.meant import which_meant
from explorer.views.edits import Edit
from explorer.views.inspect_query import MAX_ACTIVATION, Addition, InspectQuery
from explorer.views.latents_query import MAX_WORDS
from explorer.views.meant import Meant
from explorer.views.scores import Score
from explorer.views.tiles import Tile
from explorer.wording import activation, figure, plural

_SAME = 0.005  # of a cosine
_NOT_IN_FORMS = {"method", "action", "target", "name"}


def summary(view: Edit, query: InspectQuery, scores: Sequence[Score] = ()) -> str:
    """What was changed, what that did to the texts' scores, and how far it moved the embedding.

    It stands below the code and stays in sight at the page's bottom: the rows under the pointer keep their place.
    """
    changes = ", ".join(
        f"#{change.ref.latent} {activation(change.before)} → {activation(change.after)}" for change in view.changes
    )
    return (
        f'<div class="sp-edited" role="status" data-spa data-stay><p><b>Edited:</b> {changes} '
        f'<a class="sp-under" href="{escape(query.url(edit=None))}">reset all</a></p>{_scored(scores)}'
        f"<p>{_moved(view)} {_far(view)} {_nearest(view)}</p></div>"
    )


def problems(query: InspectQuery) -> str:
    """What the address says of the edit and nobody can read, a sentence each."""
    return "".join(map(parts.refusal, query.problems))


def refused(sentence: str, query: InspectQuery) -> str:
    """An edit that cannot be shown."""
    reset = f'<a class="sp-under" href="{escape(query.url(edit=None))}">reset all</a>'
    return f'<p class="sp-refused" role="alert" data-spa data-stay>{escape(sentence)}. {reset}</p>'


def add_form(query: InspectQuery, meant: Meant) -> str:
    """Adds a latent that is not in the code; below it, which ones the words in its field may mean."""
    to = "" if query.add.to is None else f"{query.add.to:g}"
    return (
        f'<form class="sp-filter sp-addlatent" action="{links.INSPECT}" method="get" {form_state(query)}'
        f'<div class="sp-fields"><label>add latent <input type="text" name="add" value="{escape(query.add.words)}" '
        f'required maxlength="{MAX_WORDS}" placeholder="#340, or a name" autocomplete="off"></label>'
        f'<label>with activation <input type="number" name="to" value="{to}" min="0" max="{MAX_ACTIVATION:g}" '
        f'step="any" placeholder="its mean"></label><button type="submit" class="sp-copy">add</button>'
        f"{parts.help_mark(DEFINITIONS['edit'])}</div></form>{_asked(query.add, meant)}"
    )


def _asked(add: Addition, meant: Meant) -> str:
    """Which latent is meant, or why there is none to add."""
    if meant.latents:
        return which_meant(meant, stay=True)
    none = f"No latent has “{add.words}” in its name or label; a number does, as in #340." if add.words else ""
    return parts.refusal(add.problem or none) if add.problem or none else ""


def form_state(query: InspectQuery, *own: str) -> str:
    """What a form on this page begins with, so that the rest of the address stays; `own` are its own fields.

    The page's sanitiser takes out fields that are named like a property of forms: of those the link script takes care.
    """
    said = {key: str(value) for key, value in query.said.items() if value and key not in own}
    kept = urlencode({key: said.pop(key) for key in _NOT_IN_FORMS & said.keys()})
    hidden = "".join(
        f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">' for key, value in said.items()
    )
    return f'data-form data-stay data-keep="{escape(kept)}">{hidden}'


def before_and_after(view: Edit, pair_cosine: float) -> str:
    """The nearest pictures of both embeddings, marked where only one has them."""
    tip = DEFINITIONS["nearest"].format(random=figure(pair_cosine))
    said = parts.dim(f"cosine; {plural(len(view.came), 'picture')} came, {len(view.left)} left")
    return (
        f'<section id="nearest">{parts.head("Nearest pictures, before and after the edit", tip, said)}'
        f'<div class="sp-beforeafter"><div><p class="sp-caption">before</p>{_gallery(view.before, view.left, "left")}'
        f'</div><div><p class="sp-caption">after</p>{_gallery(view.after, view.came, "came")}</div></div></section>'
    )


def _gallery(tiles: tuple[Tile, ...], marked: frozenset[int], word: str) -> str:
    inside = "".join(
        f'<div class="sp-{word}">{parts.picture_link(tile)}<span class="sp-mark-word">{word}</span></div>'
        if tile.image_id in marked
        else parts.picture_link(tile)
        for tile in tiles
    )
    return f'<div class="sp-gallery sp-dozen" data-spa>{inside}</div>'


def _scored(scores: Sequence[Score]) -> str:
    said = "".join(
        f"<span>“{escape(isolated(one.text))}” {figure(one.picture, 3)} → <b>{figure(one.edited, 3)}</b></span>"
        for one in scores
        if one.edited is not None
    )
    return f'<p class="sp-editscores sp-num">{said}</p>' if said else ""


def _nearest(view: Edit) -> str:
    """The nearest picture before and after, small."""
    if not view.before or not view.after:
        return ""
    before, after = (
        f'<a href="{escape(tiles[0].href)}" data-tip="{escape(tiles[0].hint)}">{parts.picture(tiles[0], 32)}</a>'
        for tiles in (view.before, view.after)
    )
    return f'<span class="sp-editnear">nearest {before} → {after}</span>'


def _moved(view: Edit) -> str:
    tip = parts.help_mark(DEFINITIONS["edited_embedding"])
    return (
        f'Its cosine with the original embedding is <b class="sp-num">{figure(view.cosine, 3)}</b>{tip}; '
        f"{len(view.left)} of {plural(len(view.before), 'nearest picture')} changed."
    )


def _far(view: Edit) -> str:
    before, after = view.closest
    if not math.isfinite(after):
        return "The store has no other picture to compare with."
    said = f"Its nearest other picture here is at cosine {figure(after, 3)}, the original’s at {figure(before, 3)}"
    if after >= before - _SAME:
        return f"{said}: as close to other pictures as the original is."
    return f"{said}: it lies farther from all other pictures here, so read what it resembles with caution."
