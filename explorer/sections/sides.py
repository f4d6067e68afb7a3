"""A choice of pictures as HTML: title, what it is, pictures, ways on."""

from __future__ import annotations

from html import escape

from explorer.directions import isolated
from explorer.sections import parts
from explorer.views.sides import Side
from explorer.wording import plural


def side(view: Side, letter: str = "", upload_uri: str | None = None, way: tuple[str, str] | None = None) -> str:
    """One choice; `upload_uri` is the visitor's picture as a data URI, where it is that, `way` where else it leads."""
    text, href = way or ("its concept spans", view.spans_href)
    mark = f'<span class="sp-no">{letter}</span> ' if letter else ""
    if view.upload:
        shown = f'<img src="{escape(upload_uri)}" alt="{escape(view.title)}">' if upload_uri else ""
        pictures = f'<div class="sp-gallery sp-sixth">{shown}</div>'
    else:
        several = "sp-twelfth" if way else "sp-sixth"  # alone on the page there is room for all in a row
        kind = several if len(view.tiles) > 1 else "sp-alone"
        pictures = parts.gallery(view.tiles, kind)
    ways = [f'<a class="sp-under" href="{escape(href)}">{escape(text)}</a>']
    if view.inspect_href:
        ways.append(f'<a class="sp-under" href="{escape(view.inspect_href)}">its sparse code</a>')
    averaged = letter and view.n_pictures > 1  # two choices are compared by their means
    what = f"{'the mean of ' if averaged else ''}{view.what} · {plural(view.n_active, 'active latent')}"
    return (
        f'<section class="sp-side" data-spa><h2>{mark}{escape(isolated(view.title))}</h2>'
        f'<p class="sp-dim">{escape(what)} · '
        f"{' · '.join(ways)}</p>{pictures}</section>"
    )
