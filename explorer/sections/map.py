"""The map page's sections: what colours it, the legend, the panel beside it."""

from __future__ import annotations

import json
from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections.cards import strips
from explorer.sections.map_legend import legend
from explorer.sections.parts import dim, head, help_mark, latent_link, left_out, note
from explorer.views.collection import MAX_LATENTS
from explorer.views.latents_query import MAX_WORDS
from explorer.views.map import LISTED, Chosen, MapPage, Matched
from explorer.views.map_colors import GREY, SCALE, TEN, Groups
from explorer.views.map_points import bits, point_size
from explorer.views.map_rows import Row
from explorer.wording import figure, plural


def bar(view: MapPage) -> str:
    """What to colour by and what to mark, the legend, and what the map is."""
    form = (
        f'<form class="sp-filter" action="{links.MAP}" method="get" data-form data-auto><div class="sp-fields">'
        f"{_menu(view)}{_search(view)}{_kept(view)}</div>"
        '<button type="submit" class="sp-apply">apply</button></form>'
    )
    wrong = f'<p class="sp-refused" role="alert">{escape(view.problem)}</p>' if view.problem else ""
    wrong += left_out(view.query.left_out)
    return f'<h1 class="sp-hidden">Map</h1><div class="sp-mapbar">{form}{legend(view)}</div>{wrong}'


def plane(view: MapPage) -> str:
    """The place where the script draws; what it draws stands in `data-map`."""
    chosen = view.chosen.card.ref.latent if view.chosen else None
    grouped = isinstance(view.color, Groups)
    config = {
        "version": view.version,
        "points": links.points_url(view.version, view.query.color),
        "size": point_size(len(view.places)),
        "opacity": 0.9 if len(view.places) < 20_000 else 0.75,
        "colors": {"light": TEN, "dark": TEN} if grouped else SCALE,
        "steps": grouped,
        "grey": GREY,
        "words": view.words,
        "marked": bits(view.marked, len(view.places)),
        "chosen": chosen,
        "around": view.around,
    }
    said = f"map of {plural(len(view.places), 'latent')}; the same latents are in the lists beside it"
    return f'<div class="sp-map" role="group" aria-label="{said}" data-map="{escape(json.dumps(config))}"></div>'


def about(view: MapPage) -> str:
    """In one line what the map is and how to use it."""
    size = plural(len(view.places), "latent")
    return (
        f'<p class="sp-dim sp-mapabout">{size} by direction (t-SNE, cosine): neighbours are alike, distances between '
        f"groups mean nothing{help_mark(DEFINITIONS['map'])} Drag to move, scroll or pinch to zoom; "
        "box and lasso select.</p>"
    )


def panel(view: MapPage) -> str:
    """Beside the map: what was selected (the script fills it), the latent in the middle, what the words find."""
    parts = [
        '<section data-map-selection hidden aria-live="polite"></section>',
        _matched(view.matched, view.query.q) if view.matched else "",
        _chosen(view.chosen) if view.chosen else "",
        "" if view.matched or view.chosen else _invitation(),
    ]
    return f'<div class="sp-mappanel" data-spa data-map-version="{view.version}">{"".join(parts)}</div>'


def no_map() -> str:
    """A store without places."""
    return note(
        "No map",
        "<p>This store has no places for its latents: it was built before maps were, or all of its directions are the "
        f'same. Building it again adds them.</p><p><a href="{links.LATENTS}">Show all latents</a></p>',
    )


def _menu(view: MapPage) -> str:
    options = "".join(
        f'<option value="{key}"{" selected" if key == view.query.color else ""}>{escape(name)}</option>'
        for key, name in view.colors.items()
    )
    menu = f'<label>colour <select name="color" aria-label="colour by">{options}</select></label>'
    return f"<span>{menu}{help_mark(view.color_definition)}</span>"


def _search(view: MapPage) -> str:
    return (
        f'<label>mark <input type="search" name="q" value="{escape(view.query.q)}" maxlength="{MAX_WORDS}" '
        'placeholder="#123, a name, a label" autocomplete="off" aria-label="mark latents: a number, or words of a name '
        'or label"></label>'
    )


def _kept(view: MapPage) -> str:
    """What the form has no field for; the script keeps all but the first up to date."""
    params = view.query.params
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(params.get(name, ""))}">'
        for name in ("latent", "view", "box", "lasso")
    )


def _matched(matched: Matched, words: str) -> str:
    more = f"<p>{dim(f'{matched.n - LISTED:,} more than these {LISTED}')}</p>" if matched.n > LISTED else ""
    if matched.n > MAX_LATENTS:
        more += f"<p>{dim(f'A list holds the first {MAX_LATENTS}. The grid holds all.')}</p>"
    items = "".join(f"<li>{_thumbs(row)}{latent_link(row.ref)}</li>" for row in matched.rows)
    ways = ((matched.grid, "open as grid"), (matched.listed, "open as list"))
    opened = " ".join(f'<a href="{escape(href)}">{said}</a>' for href, said in ways) if matched.n else ""
    title = f"{plural(matched.n, 'latent')} with “{words}”" if matched.n else f"No latent with “{words}”"
    clear = f'<a class="sp-under" href="{escape(matched.without)}">clear</a>'
    maplinks = f'<p class="sp-maplinks">{opened} {clear}</p>'
    return f'<section>{head(title)}{maplinks}<ul class="sp-maplist">{items}</ul>{more}</section>'


def _chosen(chosen: Chosen) -> str:
    near = "".join(
        f'<li><a class="sp-num" href="{escape(one.href)}" aria-label="centre the map on #{one.row.ref.latent}" '
        f'data-tip="centre the map on #{one.row.ref.latent}">'
        f"{figure(one.cosine)}</a> {_thumbs(one.row)}{latent_link(one.row.ref)}</li>"
        for one in chosen.near
    )
    clear = f'<p class="sp-maplinks"><a class="sp-under" href="{escape(chosen.without)}">show the whole map</a></p>'
    similar = head("Most similar directions", DEFINITIONS["similar"])
    return (
        f"<section>{head('In the middle')}{strips([chosen.card], 'sp-narrow')}{clear}</section>"
        f'<section>{similar}<ul class="sp-maplist">{near}</ul></section>'
    )


def _thumbs(row: Row) -> str:
    """Small pictures before a name, which says what they are and has the link that keys reach."""
    pictures = "".join(f'<img src="{escape(tile.src or "")}" alt="" loading="lazy">' for tile in row.tiles)
    href = links.latent_url(row.ref.latent)
    return f'<a class="sp-thumbs" href="{href}" tabindex="-1" aria-hidden="true">{pictures}</a>' if pictures else ""


def _invitation() -> str:
    return (
        f"<section>{head('Look around')}<p>Point at a latent, or tap it, to see its pictures; click to open it.</p>"
        "<p>Box or lasso some to list them here.</p>"
        f"<p>{dim('Without a mouse: type a number above, and go from one latent to those most similar.')}</p></section>"
    )
