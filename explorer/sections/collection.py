"""The List page's sections."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.directions import isolated
from explorer.sections import parts
from explorer.sections.cards import strip
from explorer.sections.figure import figure_links
from explorer.sections.pager import pager
from explorer.views.collection import MAX_LATENTS, MAX_TITLE, Listed, ListPage
from explorer.wording import plural


def title_line(view: ListPage) -> str:
    """The list's title, and what one can do with all of it."""
    query = view.query
    addresses = {kind: escape(links.export_url(kind, query.latents, query.title)) for kind in ("csv", "json")}
    files = "".join(f'<a class="sp-copy" href="{href}" download>{kind.upper()}</a>' for kind, href in addresses.items())
    copy = f'<a class="sp-copy" href="{escape(query.url())}" data-copy>copy link</a>'
    take = '<button type="button" class="sp-copy" data-take-list hidden>make this my list</button>'
    take += '<button type="button" class="sp-copy" data-join-list hidden>add to my list</button>'
    grid = f'<a href="{escape(links.latents_url({"latents": links.numbers(query.latents)}))}">as a grid</a>'
    tools = f"{take}{grid}{files}{figure_links(query.latents, query.title)}{copy}" if query.latents else ""
    return (
        f'<div class="sp-title" data-spa><h1>{escape(isolated(query.title)) or "A list of latents"}</h1>'
        f'<div class="sp-tools">{tools}</div></div>'
    )


def remarks(view: ListPage) -> str:
    """What of the address cannot be shown, each in a sentence."""
    said = []
    if view.foreign:
        said.append(
            f"This list was made with another SAE ({view.query.sae}; this store’s is {view.sae}): the same numbers are "
            "other latents here."
        )
    if view.query.n_beyond:
        asked = MAX_LATENTS + view.query.n_beyond
        most = f"A list holds at most {MAX_LATENTS} latents"
        said.append(f"{most}; of the {asked:,} in this address, the first {MAX_LATENTS} are here.")
    if view.unknown:
        some = _some([f"#{latent}" for latent in view.unknown])
        said.append(f"Not in this store, which has latents 0 … {view.n_latents - 1:,}: {some}.")
    if view.query.no_numbers:
        said.append(
            f"No numbers of latents, and left out: {_some([f'“{part[:20]}”' for part in view.query.no_numbers])}."
        )
    return "".join(f'<p class="sp-refused" role="alert">{escape(sentence)}</p>' for sentence in said)


def _some(said: list[str]) -> str:
    return ", ".join(said[:5]) + (" …" if len(said) > 5 else "")


def rows(view: ListPage) -> str:
    """The latents in the collector's order, each with its way up, down and out."""
    inside = "".join(_row(one) for one in view.rows)
    query = view.query
    this = f'data-this-list="{links.numbers(query.latents)}" data-title="{escape(query.title)}"'
    counted = parts.dim(f"{plural(len(query.latents), 'latent')}; figure / baseline")
    said = f"<span>{counted}{parts.help_mark(view.definitions)}</span>"
    return (
        f'<section class="sp-listed" data-spa {this}><div class="sp-head">{_rename(view)}{said}</div>{inside}'
        f"{pager(view.paging, 'the list')}</section>"
    )


def empty() -> str:
    """No latent in the address."""
    return parts.note(
        "No latents in this list",
        f"<p>Choose “+” on any latent; the list then waits at the bottom of every page, and opens as a link that says "
        f'all of it: to keep, to send, to cite.</p><p><a href="{links.LATENTS}">All latents</a></p>',
    )


def more() -> str:
    """What else can be collected and taken away."""
    return (
        f'<p class="sp-more" data-spa>{parts.dim("All latents with all figures:")} '
        f'<a href="{links.export_url("csv")}" download>CSV</a> · <a href="{links.export_url("json")}" download>JSON</a>'
        f'{parts.dim(" — names and notes from people:")} <a href="{links.NOTES}">notes</a></p>'
    )


def _rename(view: ListPage) -> str:
    query = view.query
    return (
        f'<form class="sp-rename" action="{links.LIST}" method="get" data-form data-list-edit>'
        f'<input type="hidden" name="latents" value="{links.numbers(query.latents)}">'
        f'<input type="hidden" name="sae" value="{query.sae}">'
        f'<input name="list_title" value="{escape(query.title)}" maxlength="{MAX_TITLE}" autocomplete="off" '
        'placeholder="give this list a title" aria-label="title of the list">'
        '<button type="submit" class="sp-copy">rename</button></form>'
    )


def _row(one: Listed) -> str:
    ref = one.card.ref
    facts = "".join(
        f"<span>{parts.dim(name)} <span class='sp-num'>{escape(value)}</span></span>" for name, value in one.facts
    )
    return (
        f'<div class="sp-listrow">{strip(one.card)}<div class="sp-listtext">{parts.latent_link(ref)}'
        f'<div class="sp-listfacts">{facts}</div></div><div class="sp-moves">'
        f"{_move(one.up, '↑', f'move #{ref.latent} up')}{_move(one.down, '↓', f'move #{ref.latent} down')}"
        f"{_move(one.remove, '×', f'remove #{ref.latent} from the list')}</div></div>"
    )


def _move(href: str | None, mark: str, words: str) -> str:
    if href is None:
        return f'<span class="sp-off" role="link" aria-disabled="true">{mark}</span>'
    return f'<a href="{escape(href)}" data-list-edit data-tip="{words}" aria-label="{words}">{mark}</a>'
