"""The Pictures page's sections."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.sections.pager import pager, steps
from explorer.views.pictures import Condition, Example, PicturesPage
from explorer.views.pictures_meant import Meant
from explorer.views.pictures_query import FIELDS, Field
from explorer.wording import NBSP, figure, plural

_PLACEHOLDERS: dict[Field, str] = {"all_of": "12, 340", "any_of": "#7 #8", "none_of": "77"}


def form(view: PicturesPage) -> str:
    """Three lists of latents; its fields are the address."""
    fields = "".join(
        f'<label>{escape(said)} <input type="text" name="{field}" value="{escape(view.query.written(field))}" '
        f'maxlength="400" autocomplete="off" placeholder="{_PLACEHOLDERS[field]}"></label>'
        for field, said in FIELDS.items()
    )
    return (
        f'<form class="sp-filter sp-query" action="{links.PICTURES}" method="get" data-form>'
        f'<div class="sp-fields">{fields}<button type="submit" class="sp-copy">find pictures</button></div></form>'
    )


def conditions(view: PicturesPage) -> str:
    """The latents in question, each removable."""
    lists = "".join(_list(view, field) for field in FIELDS if view.query.of(field))
    title = '<h1 class="sp-hidden">Pictures by what is active in them</h1>'  # which the invitation shows
    return f'{title}<div class="sp-conditions" data-spa>{lists}</div>' if lists else ""


def problem(view: PicturesPage) -> str:
    """Why nothing was searched, and what words may have meant."""
    meant = "".join(map(_meant, view.meant))
    return f'<p class="sp-refused" role="alert">{escape(view.problem or "")}</p>{meant}'


def _meant(meant: Meant) -> str:
    ways = "".join(
        f'<li><a class="sp-under" href="{escape(href)}">{escape(ref.text)}</a></li>' for ref, href in meant.latents
    )
    said = f"Latents with “{escape(meant.words)}” in their name or label, those called so first:"
    return f"<section data-spa><p>{said}</p><ul>{ways}</ul></section>"


def summary(view: PicturesPage) -> str:
    """How many pictures, and how many by chance."""
    baseline = ""
    if view.expected is not None:
        baseline = (
            f"; if the latents were independent: {_about(view.expected)}{parts.help_mark(DEFINITIONS['independent'])}"
        )
    said = f"<b>{view.paging.n_items:,}</b> of {plural(view.n_images, 'picture')}{baseline}"
    where = f", page {view.paging.page:,} of {view.paging.n_pages:,}" if view.paging.n_pages > 1 else ""
    order = parts.dim("strongest first") + parts.help_mark(DEFINITIONS["strength"]) if view.tiles else ""
    more = f"{steps(view.paging)}<span>{order}</span>"
    return f'<div class="sp-summary"><span role="status">{said}{where}</span>{more}</div>'


def pictures(view: PicturesPage) -> str:
    """The pictures, each with its strength."""
    return f"<section>{parts.gallery(view.tiles)}{pager(view.paging, 'the pictures')}</section>"


def nothing(view: PicturesPage) -> str:
    """No picture matches: what excludes them, and the way out."""
    dead = [condition for condition in view.conditions if condition.ref.dead and condition.field != "none_of"]
    why = [f"<p>#{condition.ref.latent} is dead: no picture in this store activates it.</p>" for condition in dead]
    if view.ways_out:
        ways = "".join(
            f'<li><a href="{escape(way.href)}">Without “{escape(way.text)}”</a>: {plural(way.n, "picture")}</li>'
            for way in view.ways_out
        )
        why.append(f"<p>Leaving out one condition is enough:</p><ul>{ways}</ul>")
    elif len(view.conditions) > 1:
        why.append("<p>No single condition excludes everything; it takes several of them together.</p>")
    again = f'<p><a href="{links.PICTURES}">Begin anew</a> · <a href="{links.LATENTS}">All latents</a></p>'
    return parts.note("No picture matches", "".join(why) + again)


def invitation(view: PicturesPage) -> str:
    """Before anything was asked."""
    said = (
        '<section data-spa><h1>Pictures by what is active in them</h1><p class="sp-lead">Name latents by their '
        "numbers: you see the pictures in which all of the first list are active, at least one of the second, and none "
        f'of the third. <a class="sp-under" href="{links.LATENTS}">Latents</a> shows the numbers, and a '
        "latent’s page leads here.</p></section>"
    )
    return said + "".join(map(_example, view.examples))


def _example(example: Example) -> str:
    names = " and ".join(parts.latent_link(ref) for ref in example.refs)
    said = f"{example.n:,} pictures; if they were independent: {_about(example.expected)}"
    mark = parts.help_mark(DEFINITIONS["independent"])
    line = (
        f'<div class="sp-head"><h2>{names}</h2><span class="sp-dim"><a href="{escape(example.href)}">{escape(said)}</a>'
        f"{mark}</span></div>"
    )
    return f"<section data-spa>{line}{parts.gallery(example.tiles, 'sp-oneline')}</section>"


def _list(view: PicturesPage, field: Field) -> str:
    chips = "".join(_chip(condition) for condition in view.conditions if condition.field == field)
    return f'<span class="sp-dim">{escape(FIELDS[field])}</span>{chips}' if chips else ""


def _chip(condition: Condition) -> str:
    remove = f"remove #{condition.ref.latent} from “{FIELDS[condition.field]}”"
    return (
        f'<span class="sp-chip">{parts.latent_link(condition.ref)} '
        f'<a class="sp-remove" href="{escape(condition.href)}" aria-label="{escape(remove)}">×</a></span>'
    )


def _about(pictures: float) -> str:
    """An expected count: whole from ten on, never a rounded zero."""
    if pictures >= 10:
        return f"{pictures:,.0f}"
    return figure(pictures, 1) if pictures >= 0.05 else f"under{NBSP}0.1"
