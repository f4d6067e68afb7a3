"""The Pictures page's sections."""

from __future__ import annotations

import math
from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.sections.meant import which_meant
from explorer.sections.pager import pager, steps
from explorer.sections.texts import control, no_meaning, nothing_stands_out
from explorer.views.pictures import Condition, PicturesPage, SaidCondition
from explorer.views.pictures_meaning import Meaning
from explorer.views.pictures_query import FIELDS, SAID, Field
from explorer.wording import NBSP, expected, figure, plural

TITLE = "Pictures by what is said of them, or active in them"


def conditions(view: PicturesPage) -> str:
    """What is asked for, each part removable."""
    lists = "".join(map(_said, view.said))
    lists += "".join(_list(view, field) for field in FIELDS if view.query.of(field))
    title = f'<h1 class="sp-hidden">{TITLE}</h1>'  # which the invitation shows
    return f'{title}<div class="sp-conditions" data-spa>{lists}</div>' if lists else ""


def problem(view: PicturesPage) -> str:
    """Why nothing was searched; where words stand for latents, these to choose from."""
    if view.meant and view.query.unread:
        return "".join(map(which_meant, view.meant))
    return f'<p class="sp-refused" role="alert">{escape(view.problem or "")}</p>'


def summary(view: PicturesPage) -> str:
    """How many pictures, how many by chance, and what orders them."""
    said = f"<b>{view.n:,}</b> of {plural(view.n_images, 'picture')}{_baseline(view)}"
    if view.paging.n_items < view.n:
        shown = f"the {view.paging.n_items:,} nearest in meaning" if view.paging.n_items else "none of them"
        said += f", {shown} shown"
    where = f", page {view.paging.page:,} of {view.paging.n_pages:,}" if view.paging.n_pages > 1 else ""
    more = f"{steps(view.paging)}<span>{_order(view)}</span>"
    line = f'<div class="sp-summary"><span role="status">{said}{where}</span>{more}</div>'
    refused = f'<p class="sp-refused" role="alert">{escape(view.text_problem)}</p>' if view.text_problem else ""
    return line + refused + (_meaning(view.meaning, view.query.text) if view.meaning and view.n else "")


def _baseline(view: PicturesPage) -> str:
    if view.chance is None:
        return ""
    n_said = view.chance.n_said
    of = "" if n_said is None else f" of the {n_said:,} that {_what_says(view)}"
    mark = parts.help_mark(DEFINITIONS["independent"])
    return f"; if the latents were independent: {expected(view.chance.n)}{of}{mark}"


def _what_says(view: PicturesPage) -> str:
    """`have this label and these words`."""
    asked = [said for name, said in (("label", "this label"), ("q", "these words")) if view.query.said(name)]  # type: ignore[arg-type]
    return f"have {' and '.join(asked)}"


def _order(view: PicturesPage) -> str:
    if not view.tiles:
        return ""
    if view.meaning:
        return parts.dim("nearest first, by cosine")
    if view.query.active:
        return parts.dim("strongest first") + parts.help_mark(DEFINITIONS["strength"])
    return parts.dim("in the store’s order")


def _meaning(meaning: Meaning, text: str) -> str:
    """What was compared, and what such a cosine is worth."""
    few = (
        f" So many pictures match that only the store’s {meaning.searched:,} nearest were looked through for them."
        if meaning.searched
        else ""
    )
    said = (
        f"Compared: the text’s embedding with each picture’s. Baseline: {figure(meaning.mean, 3)}, the mean cosine of "
        f"all pictures.{_best(meaning)}{few}"
    )
    weak = "" if meaning.stands_out else nothing_stands_out(meaning.best_z)
    return (
        f'<div class="sp-ranking"><p><b>Nearest in meaning to “{escape(isolated(text))}”</b>'
        f"{parts.help_mark(DEFINITIONS['picture_z'])}<br>{parts.dim(said)}{weak}</p></div>"
    )


def _best(meaning: Meaning) -> str:
    """What the nearest has; nothing where there is none, or where all cosines are the same."""
    if not math.isfinite(meaning.best_z):
        return ""
    return f" The nearest has z{NBSP}{figure(meaning.best_z, 1)}.{control(meaning.chance)}"


def pictures(view: PicturesPage) -> str:
    """The pictures, each with its strength."""
    return f"<section>{parts.gallery(view.tiles)}{pager(view.paging, 'the pictures')}</section>"


def nothing(view: PicturesPage) -> str:
    """No picture matches, or none that is near: why, and the way out."""
    if view.n:
        return _none_near(view)
    dead = [condition for condition in view.conditions if condition.ref.dead and condition.field != "none_of"]
    why = [f"<p>#{condition.ref.latent} is dead: no picture in this store activates it.</p>" for condition in dead]
    if view.ways_out:
        ways = "".join(
            f'<li><a href="{escape(way.href)}">Without “{escape(way.text)}”</a>: {plural(way.n, "picture")}</li>'
            for way in view.ways_out
        )
        why.append(f"<p>Leaving out one condition is enough:</p><ul>{ways}</ul>")
    elif view.untried:
        why.append(f"<p>Leaving out one condition was not enough; {view.untried} of them were not tried.</p>")
    elif len(view.conditions) + len([said for said in view.said if said.name != "text"]) > 1:
        why.append("<p>No single condition excludes everything; it takes several of them together.</p>")
    if view.by_meaning:
        why.append(f'<p><a href="{escape(view.by_meaning)}">Search “{escape(view.query.q)}” by meaning</a></p>')
    why.append(no_meaning(view.no_meaning))
    again = f'<p><a href="{links.PICTURES}">Begin anew</a> · <a href="{links.LATENTS}">All latents</a></p>'
    return parts.note("No picture matches", "".join(why) + again)


def _none_near(view: PicturesPage) -> str:
    """So many pictures match that only the store's nearest were looked through, and none of these does."""
    without = view.query.saying(text="")
    way = f'<p><a href="{escape(without.url())}">Show them without the text</a></p>' if without.names_pictures else ""
    why = "<p>They are looked for among the store’s nearest pictures only, and they are not there.</p>"
    return parts.note(f"Of {plural(view.n, 'picture')} none is among the nearest to the text", why + way)


def _list(view: PicturesPage, field: Field) -> str:
    chips = "".join(_chip(condition) for condition in view.conditions if condition.field == field)
    return (
        f'<span class="sp-conditions"><span class="sp-dim">{escape(FIELDS[field])}</span>{chips}</span>'
        if chips
        else ""
    )


def _said(condition: SaidCondition) -> str:
    remove = f"remove {SAID[condition.name]} “{condition.value}”"
    return (
        f'<span class="sp-conditions"><span class="sp-dim">{SAID[condition.name]}</span><span class="sp-chip"><b>'
        f"{escape(isolated(condition.value))}</b> "
        f'<a class="sp-remove" href="{escape(condition.href)}" aria-label="{escape(remove)}">×</a></span>'
        f"{_further(condition.value) if condition.name == 'label' else ''}</span>"
    )


def _further(label: str) -> str:
    """What else there is to ask of a label."""
    said = f"label:{label}"
    ways = {
        "which latents tell it": links.telling_url(label),
        "its concept spans": links.spans_url({"of": said}),
        "compare it": links.compare_url({"a": said}),
    }
    return "".join(f'<a class="sp-under" href="{escape(href)}">{text}</a>' for text, href in ways.items())


def _chip(condition: Condition) -> str:
    remove = f"remove #{condition.ref.latent} from “{FIELDS[condition.field]}”"
    return (
        f'<span class="sp-chip">{parts.latent_link(condition.ref)} '
        f'<a class="sp-remove" href="{escape(condition.href)}" aria-label="{escape(remove)}">×</a></span>'
    )
