"""HTML beside a heat map: what it is of, how to read it, the other maps."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.views.parts import LatentRef
from explorer.views.where import Deletion, WhereView, status, verdict
from explorer.views.where_query import METHODS, WhereQuery
from explorer.wording import activation, figure, percent

SAME_MAP = "Another visitor is computing the same map; it will be here as soon as it is done."
_SAME = 0.9995  # a cosine that reads 1.000


def heading(query: WhereQuery, open_now: bool) -> str:
    """The section's title; where a map is open, the way to close it."""
    close = f'<a class="sp-under" href="{escape(query.without)}">close</a>' if open_now else ""
    tip = DEFINITIONS["where_gradients" if open_now and query.method == "gradients" else "where_occlusion"]
    return f"<div data-spa data-stay>{parts.head('Where in the picture?', tip, close)}</div>"


def offer(query: WhereQuery, refs: tuple[LatentRef, ...]) -> str:
    """Before a latent was chosen."""
    if not refs:
        return parts.dim("No latent is active in this picture.")
    return f'<p class="sp-dim">Choose a latent for a heat map over the picture.</p>{_chips(query, refs, None)}'


def progress(query: WhereQuery) -> str:
    """The way out of a long computation."""
    return (
        f'<p class="sp-said" data-spa data-stay>{parts.dim("Kept once it is done.")}'
        f'<a class="sp-copy" href="{escape(query.without)}">cancel</a></p>'
    )


def picture(src: str) -> str:
    """The crop alone, in its colours."""
    return (
        f'<figure class="sp-seen"><img src="{escape(src)}" alt="the crop of the picture that the encoder sees">'
        f"<figcaption>{parts.dim('the crop that the encoder sees')}</figcaption></figure>"
    )


def beside(view: WhereView, k: int, refs: tuple[LatentRef, ...]) -> str:
    """What the map is of, how to read it, and the ways on."""
    here, least = activation(view.pre_activation), activation(view.threshold)
    lines = [
        f'<p class="sp-wherelatent" data-spa>{parts.latent_link(view.ref)}</p>',
        f'<p>Pre-activation <b class="sp-num">{here}</b>{parts.help_mark(DEFINITIONS["where_pre_activation"])}: '
        f"{escape(status(view, k))} ({_least(view)} {least}). "
        f'Of the mean colour alone: <span class="sp-num">{activation(view.nothing)}</span>.</p>',
        f"<p>{_reading(view)}</p>",
        _from_thumbnail(view),
        _methods(view.query),
        _test_link(view),
        f'<p class="sp-caption">Active latents of this picture</p>{_chips(view.query, refs, view.ref.latent)}',
    ]
    return f'<section class="sp-where">{"".join(lines)}</section>'


def _least(view: WhereView) -> str:
    return "the threshold is" if view.has_thresholds else "the weakest that it keeps here has"


def deletion(test: Deletion) -> str:
    """The areas, and what they say."""
    least, mean, most = (figure(area, 3) for area in test.random_areas)
    rows = (
        ("occlusion", figure(test.occlusion.area, 3)),
        ("integrated gradients", figure(test.gradients.area, 3)),
        ("from the centre outwards", figure(test.centre.area, 3)),
        (f"{len(test.random)} random orders", f"{mean} ({least} … {most})"),
    )
    listed = "".join(f'<dt>{escape(name)}</dt><dd class="sp-num">{said}</dd>' for name, said in rows)
    return (
        f"{parts.head('Which map finds the pixels that matter?', DEFINITIONS['deletion'])}"
        f"<p>{escape(verdict(test))}.</p><p class='sp-caption'>Area under the curve; smaller is better</p>"
        f'<dl class="sp-list">{listed}</dl>'
    )


def unknown(query: WhereQuery, n_latents: int) -> str:
    """The address names no latent."""
    text = (
        f"<p>This store has latents 0 … {n_latents - 1:,}; there is no “{escape(query.said)}”.</p>"
        f'<p data-stay><a href="{escape(query.without)}">Choose another one</a></p>'
    )
    return parts.note("No such latent", text)


def no_pictures() -> str:
    """A store that was shared without thumbnails."""
    return parts.dim("This store was shared without its pictures, so there is nothing to lay a heat map over.")


def refused(sentence: str) -> str:
    """What cannot be encoded, and why."""
    return f'<p class="sp-refused" role="alert">No heat map: {escape(sentence)}.</p>'


def _reading(view: WhereView) -> str:
    """The strongest cell in words, with its method's own caveat."""
    if view.empty:
        return "Hiding any part changes nothing: the picture is as plain as the mean colour that hides it."
    if view.query.method == "gradients":
        total, change = float(view.values.sum()), view.pre_activation - view.nothing
        gap = abs(total - change) / max(abs(change), 1e-9)
        caution = " That is much: take the map with caution." if gap > 0.2 else ""
        return (
            f"Each cell’s share of what the picture adds to the mean colour. The shares sum to {figure(total, 3)}, "
            f"exactly it would be {figure(change, 3)}: the steps are off by {percent(gap)}.{caution}"
        )
    strongest = float(view.values.max())
    return (
        f"Hiding the greenest cell costs {figure(strongest, 3)}. The map shows what the encoder’s score depends on, "
        "not what the latent “sees”: hiding a part also makes a picture that the encoder never met."
    )


def _from_thumbnail(view: WhereView) -> str:
    if view.cosine >= _SAME and not view.from_thumbnail:
        return ""
    what = "The store holds only a small copy of the picture" if view.from_thumbnail else "A small copy was encoded"
    said = f"{what}: cosine {figure(view.cosine, 3)} between its embedding and the original’s."
    return f"<p>{parts.dim(said)}</p>"


def _methods(query: WhereQuery) -> str:
    links = "".join(
        f'<a href="{escape(query.url(method=method))}"{_current(method == query.method)}>{name}</a>'
        for method, name in METHODS.items()
    )
    return f'<nav class="sp-tabs sp-methods" aria-label="method" data-spa data-stay>{links}</nav>'


def _test_link(view: WhereView) -> str:
    if view.deletion is not None:
        text, url = "hide the deletion test", view.query.url(deletion=False)
    else:
        text, url = "test both methods by deletion", view.query.url(deletion=True)
    return f'<p data-spa data-stay><a class="sp-under" href="{escape(url)}">{text}</a></p>'


def _chips(query: WhereQuery, refs: Iterable[LatentRef], chosen: int | None) -> str:
    chips = "".join(
        f'<a class="sp-chip" href="{escape(query.url(latent=ref.latent))}" data-tip="{escape(ref.text)}"'
        f"{_current(ref.latent == chosen)}>#{ref.latent} {parts.name_text(ref) if ref.name else ''}</a>"
        for ref in refs
    )
    return f'<div class="sp-wherechips" data-spa data-stay>{chips}</div>'


def _current(here: bool) -> str:
    return ' aria-current="true"' if here else ""
