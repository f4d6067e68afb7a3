"""The Compare page's sections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.meaningless import cosine_controls
from explorer.sections.sides import side
from explorer.views.compare import Comparison
from explorer.views.compare_examples import Example
from explorer.wording import figure, plural, signed

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
        "one is active); a label’s name is its pictures; <b>upload</b> is the picture you gave to Inspect, "
        "<b>upload:before</b> the one that you gave it before that; any other words are the pictures nearest to "
        "them.</p>"
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
    return said + "".join(map(_example, examples)) + how_to_choose()


def sides(view: Comparison, uploads: Mapping[str, str]) -> str:
    """Both, with pictures; `uploads` are the visitor's own, data URIs by how addresses write them."""
    inside = "".join(side(one, letter, uploads.get(one.said)) for one, letter in ((view.a, "A"), (view.b, "B")))
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


def _url(a: str, b: str, centred: bool | None) -> str:
    return links.compare_url({"a": a, "b": b, "centred": None if centred is None else int(centred)})


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
