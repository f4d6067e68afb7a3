"""Pictures' queries to begin with, where nothing is asked or nothing could be searched."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.pictures import TITLE
from explorer.sections.pictures_form import where_words_are
from explorer.views.pictures import PicturesPage
from explorer.views.pictures_examples import Example
from explorer.wording import expected


def invitation(view: PicturesPage) -> str:
    """Before anything was asked."""
    labels = " by label," if view.labels else ""
    said = (
        f'<section data-spa><h1>{TITLE}</h1><p class="sp-lead">By meaning, by words of {where_words_are(view)},'
        f"{labels} or by latents, which are given by number or by words of their names: all of the first list are "
        "active, at least one of the second, none of the third. Conditions hold together; meaning only orders. "
        f'<a class="sp-under" href="{links.LATENTS}">All latents</a>'
        "</p></section>"
    )
    return said + "".join(map(_example, view.examples))


def without_text(view: PicturesPage) -> str:
    """The ways on where nothing but a text was asked, which cannot be encoded."""
    if not view.query.text or not view.examples:
        return ""
    labels = ", by label" if view.labels else ""
    said = f"Without it pictures are found by words of {where_words_are(view)}{labels} or by latents, such as these:"
    return f'<section data-spa><p class="sp-lead">{said}</p></section>{"".join(map(_example, view.examples))}'


def _example(example: Example) -> str:
    names = " and ".join(parts.latent_link(ref) for ref in example.refs)
    said = f"{example.n:,} pictures; if they were independent: {expected(example.expected)}"
    mark = parts.help_mark(DEFINITIONS["independent"])
    line = (
        f'<div class="sp-head"><h2>{names}</h2><span class="sp-dim"><a href="{escape(example.href)}">{escape(said)}</a>'
        f"{mark}</span></div>"
    )
    return f"<section data-spa>{line}{parts.gallery(example.tiles, 'sp-oneline')}</section>"
