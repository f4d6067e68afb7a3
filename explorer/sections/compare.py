"""The Compare page's sections."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.bars import active_bar
from explorer.sections.meaningless import cosine_controls, overlap_controls
from explorer.sections.sides import side
from explorer.views.compare import Comparison, Row, Where
from explorer.views.compare_examples import Example
from explorer.wording import activation, figure, plural, signed

_LISTS: dict[Where, str] = {"both": "On both sides", "a": "Only in A", "b": "Only in B"}
_HINTS = {"a": "12, #340, a label, words", "b": "the same, or “upload”"}


def form(a: str, b: str, labels: Iterable[str], centred: bool | None = None) -> str:
    """Both choices; the fields are the address. `centred`: what it says of that, if anything."""
    options = "".join(f'<option value="{escape(label)}"></option>' for label in labels)
    fields = "".join(
        f'<label>{key.upper()} <input type="search" name="{key}" value="{escape(said)}" maxlength="400" '
        f'autocomplete="off" list="sp-choices" placeholder="{escape(_HINTS[key])}" aria-label="side {key.upper()}">'
        "</label>"
        for key, said in (("a", a), ("b", b))
    )
    swapped = escape(_url(b, a, centred))
    kept = "" if centred is None else f'<input type="hidden" name="centred" value="{int(centred)}">'
    swap = f'<a class="sp-copy" href="{swapped}">swap</a>' if a or b else ""
    return (
        f'<form class="sp-filter sp-chooser" action="{links.COMPARE}" method="get" data-form data-spa>'
        f'<div class="sp-fields">{fields}<button type="submit" class="sp-copy">compare</button>'
        f"{swap}</div>{kept}"
        f'<datalist id="sp-choices">{options}</datalist></form>'
    )


def how_to_choose() -> str:
    """What may be written into the fields."""
    return (
        '<p class="sp-dim">Numbers are pictures (<b>12 15</b>), with # latents (<b>#12 #340</b>: the pictures where '
        "one is active); a label’s name is its pictures; <b>upload</b> is the picture you gave to Inspect; any other "
        "words are the pictures nearest to them.</p>"
    )


def problem(sentence: str) -> str:
    """Why a side is empty."""
    return f'<p class="sp-refused" role="alert">{escape(sentence)}</p>'


def invitation(examples: Iterable[Example], lead: bool) -> str:
    """Comparisons to begin with."""
    said = (
        '<section><h1>Two choices of pictures, side by side</h1><p class="sp-lead">How alike does CLIP find them, '
        "which latents make them so, and do their concepts span the same directions?</p></section>"
        if lead
        else ""
    )
    return said + how_to_choose() + "".join(map(_example, examples))


def sides(view: Comparison, upload_uri: str | None) -> str:
    """Both, with pictures."""
    inside = "".join(side(one, letter, upload_uri) for one, letter in ((view.a, "A"), (view.b, "B")))
    return f'<div class="sp-sides">{inside}</div>'


def answer(view: Comparison) -> str:
    """The cosine in words, and what makes it special."""
    who = _random_pictures(view)
    said = f"To CLIP these are {_how(view)} {who}{', measured from the store’s mean' if view.centred else ''}"
    if view.equal:
        said = "Both sides are one and the same to CLIP: their embeddings are equal"
    mean, low, high = (figure(value, 3) for value in view.chance)
    baseline = parts.dim(f"{who[:1].upper()}{who[1:]} have {mean} ({low} to {high} in 90 % of draws).")
    tip = DEFINITIONS["cosine_pair_centred" if view.centred else "cosine_pair"].format(baseline=mean)
    same = parts.dim(f" {plural(view.n_same, 'picture')} on both sides.") if view.n_same and not view.equal else ""
    return (
        f'<p class="sp-lead">{escape(said)}: cosine <b class="sp-num">{figure(view.cosine, 3)}</b>'
        f"{parts.help_mark(tip)} {baseline}{same}</p>{cosine_controls(view)}"
    )


def _how(view: Comparison) -> str:
    """Only what one draw in twenty of random pictures exceeds is called more alike."""
    if view.cosine > view.chance.high:
        return "more alike than"
    return "less alike than" if view.cosine < view.chance.low else "as alike as may be by chance:"


def _random_pictures(view: Comparison) -> str:
    if max(view.a.n_pictures, view.b.n_pictures) == 1:
        return "two random pictures"
    shared = f" with {view.n_same:,} in common" if view.n_same else ""
    return f"the means of as many random pictures{shared}"


def parts_head(view: Comparison) -> str:
    """The chart's question."""
    latents = view.cosine - view.bias - view.residual
    said = (
        f"latents {signed(latents, 3)}, bias {signed(view.bias, 3)}, residual {signed(view.residual, 3)}: "
        f"together {figure(view.cosine, 3)}"
    )
    what = "from the store’s mean" if view.centred else "whole embeddings"
    other = "take whole embeddings" if view.centred else "measure from the store’s mean"
    switch = f'<a class="sp-under" href="{escape(_url(view.a.said, view.b.said, not view.centred))}">{other}</a>'
    tip = DEFINITIONS["cosine_parts_centred" if view.centred else "cosine_parts"]
    beside = f'<span class="sp-dim">{said} · {what} · {switch}</span>'
    return f"<div data-spa>{parts.head('Which latents make the cosine?', tip, beside)}</div>"


def lists(view: Comparison) -> str:
    """Latents of both sides and of either alone, those with the largest parts first."""
    longest = max((max(row.part.mean_a, row.part.mean_b) for rows in view.lists.values() for row in rows), default=0.0)
    columns = "".join(_list(view, where, longest) for where in _LISTS)
    return f'<section>{_overlap(view)}<div class="sp-trio" data-spa>{columns}</div></section>'


def _url(a: str, b: str, centred: bool | None) -> str:
    return links.compare_url({"a": a, "b": b, "centred": None if centred is None else int(centred)})


def _list(view: Comparison, where: Where, longest: float) -> str:
    rows, n = view.lists[where], view.counts[where]
    head = f'<div class="sp-line"><b>{_LISTS[where]}</b>{parts.dim(plural(n, "latent"))}</div>'
    if not rows:
        none = (
            "no latent is active on both sides" if where == "both" else "every latent of this side is on the other too"
        )
        return f'<div>{head}<p class="sp-dim">{none}</p></div>'
    inside = "".join(_row(row, longest) for row in rows)
    more = parts.dim(f"and {plural(n - len(rows), 'latent')} with smaller parts") if n > len(rows) else ""
    return f"<div>{head}{inside}{more}</div>"


def _row(row: Row, longest: float) -> str:
    sides: dict[Where, float] = {"a": row.part.mean_a, "b": row.part.mean_b}
    bars = "".join(
        f'<span class="sp-mean" data-tip="mean activation over {key.upper()}’s pictures">{key.upper()}'
        f'{active_bar(mean / longest if longest > 0 else 0.0)}<span class="sp-num">{activation(mean)}</span></span>'
        for key, mean in sides.items()
        if row.part.where in ("both", key)
    )
    return (
        f'<div class="sp-compared">{parts.strip(row.card)}<div class="sp-line">{parts.latent_link(row.card.ref)}'
        f'<span class="sp-num" data-tip="its part of the cosine">{signed(row.part.part, 4)}</span></div>{bars}</div>'
    )


def _overlap(view: Comparison) -> str:
    both = view.overlap
    said = f"{plural(both.n_both, 'latent')} active on both sides, of {both.n_a:,} and {both.n_b:,}"
    chance = f"chance: {_about(both.by_latents)} (random latents), {_about(both.by_pictures)} (random pictures)"
    return parts.head("What do they share?", DEFINITIONS["overlap"], parts.dim(f"{said}; {chance}")) + overlap_controls(
        view
    )


def _about(n: float) -> str:
    return f"{n:,.0f}" if n >= 10 else figure(n, 1) if n >= 0.05 else "under 0.1"


def _example(example: Example) -> str:
    line = (
        f'<div class="sp-head"><h2><a href="{escape(example.href)}">{escape(example.title)}</a></h2>'
        f'<span class="sp-dim">{escape(example.why)}</span></div>'
    )
    halves = "".join(
        f'<a class="sp-half" href="{escape(example.href)}" aria-label="{escape(example.title)}">'
        f"{''.join(parts.picture(tile, 104) for tile in half)}</a>"
        for half in (example.a, example.b)
    )
    return f'<section data-spa>{line}<div class="sp-halves">{halves}</div></section>'
