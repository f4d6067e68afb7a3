"""The Latent page's frame: title, notes, neighbours. Its pictures and its column have files of their own."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.views.latent import LatentPage
from explorer.views.latent_gallery import Top
from explorer.views.names import LatentName
from explorer.wording import percent, plural

_SOURCES = {"label": "from the store’s labels", "caption": "from the captions", "word": "from the word list"}
_MATCHES = {"text": "on labels and captions", "clip": "on CLIP’s similarity"}


def title_line(view: LatentPage, actions: str = "") -> str:
    """Number, name, density, and how good the name is; at the end what one can do with the latent.

    `actions` is HTML of controls that act on the latent (edit, lists); it comes before the links that lead away.
    """
    ref = view.ref
    density = "dead" if ref.dead else percent(ref.density)
    return (
        f'<div class="sp-title" data-spa><div><h1><span class="sp-no">#{ref.latent}</span> · {parts.name_text(ref)} · '
        f'<span class="sp-share">{density}</span></h1>{_name_line(view)}</div>'
        f'<div class="sp-tools">{actions}{_elsewhere(view)}{_neighbours(view)}'
        f'<a class="sp-copy" href="{escape(_here(view))}" data-copy>copy link</a></div></div>'
    )


def dead(view: LatentPage) -> str:
    """A latent without a gallery."""
    everyone = f'<a href="{links.LATENTS}">All latents</a>'
    others = f'<a href="{escape(links.latents_url({"life": "dead"}))}">All dead latents</a>'
    return parts.note(
        "A dead latent",
        f"<p>No picture in this store activates it: in none of the {plural(view.n_images, 'picture')} was its "
        "pre-activation above 0 and among the k strongest. Other pictures may still activate it.</p>"
        f"<p>{others} · {everyone}</p>",
    )


def withheld(latent: int) -> str:
    """A latent on the store's hide-list."""
    return parts.note(
        f"Latent #{latent} is withheld",
        "<p>Those who share this store do not show it.</p>"
        f'<p><a href="{links.LATENTS}">All latents that are shown</a></p>',
    )


def ending(view: LatentPage) -> str:
    """Previous and next once more, where the page ends."""
    before = f'<a href="{_other(view, view.previous)}">‹ #{view.previous}</a>' if view.previous is not None else ""
    after = f'<a href="{_other(view, view.next)}">#{view.next} ›</a>' if view.next is not None else ""
    label = 'class="sp-ending" aria-label="neighbouring latents"'
    return f"<nav {label} data-spa><span>{before}</span><span>{after}</span></nav>"


def which(n_latents: int) -> str:
    """The address names none."""
    return parts.note(
        "Which latent?",
        f"<p>This address names none. Say one of 0 … {n_latents - 1:,} in the search box (key “/”), or in the address: "
        f'<a href="{links.latent_url(0)}">latent?latent=0</a>.</p><p><a href="{links.LATENTS}">All latents</a></p>',
    )


def missing(said: str, n_latents: int) -> str:
    """The address names no latent of this store; words may be a name."""
    called = (
        f'<a href="{escape(links.latents_url({"q": said}))}">Latents with “{escape(isolated(said))}” in the name</a>'
    )
    ways = f'<a href="{links.LATENTS}">All latents</a>' + (f" · {called}" if any(map(str.isalpha, said)) else "")
    return parts.note(
        "No such latent",
        f"<p>This store has latents 0 … {n_latents - 1:,}; there is no “{escape(isolated(said))}”.</p><p>{ways}</p>",
    )


def _name_line(view: LatentPage) -> str:
    """How good the name is and where it came from, or the best guess; beside it what the pictures are labelled."""
    said = [f"{parts.dim(text)}{mark}" for text, mark in (_name_said(view.name), (_label_said(view), "")) if text]
    return f'<p class="sp-nameline">{parts.dim(" · ").join(said)}</p>' if said else ""


def _name_said(name: LatentName) -> tuple[str, str]:
    """The words, and the score's "?"."""
    mark = parts.help_mark(DEFINITIONS["score"])
    if name.hint:
        return name.hint, mark
    source = f" {_SOURCES[name.source]}" if name.source in _SOURCES else ""
    measured = f" {_MATCHES[name.match]}" if name.match in _MATCHES else ""
    return (f"name{source}: {name.auc}{measured}", mark) if name.auc else ("", "")


def _label_said(view: LatentPage) -> str:
    """What most pictures are labelled: a witness of its own, unless the name is that label."""
    if not view.labels:
        return ""
    top = view.labels[0]
    share = f"{percent(top.share)} ({top.n:,} of {view.n_active:,})"
    return f"{share} labelled “{isolated(top.label)}” (store: {percent(top.store_share)})"


def _elsewhere(view: LatentPage) -> str:
    """The same latent on other pages."""
    latent = view.ref.latent
    combine = _tool(links.pictures_url(all_of=(latent,)), "combine", "pictures where this and other latents are active")
    on_map = _tool(links.map_url(latent), "map", "where its direction lies among all latents")
    return on_map if view.ref.dead else combine + on_map


def _tool(href: str, text: str, tip: str) -> str:
    return f'<a href="{escape(href)}" data-tip="{escape(tip)}">{text}</a>'


def _here(view: LatentPage) -> str:
    page = view.shown.paging.page if isinstance(view.shown, Top) else 1
    return links.latent_url(view.ref.latent, page, view.query.view, view.query.seed)


def _other(view: LatentPage, latent: int) -> str:
    """Another latent, looked at in the same way."""
    return escape(links.latent_url(latent, view=view.query.view))


def _neighbours(view: LatentPage) -> str:
    """Links to the latents before and after; the arrow keys follow them."""
    before = _neighbour(view, view.previous, "ArrowLeft", "‹", "previous latent")
    after = _neighbour(view, view.next, "ArrowRight", "›", "next latent")
    return f'<span class="sp-neighbours">{before}{after}</span>'


def _neighbour(view: LatentPage, latent: int | None, key: str, arrow: str, text: str) -> str:
    if latent is None:
        return f'<span class="sp-off" role="link" aria-disabled="true">{arrow}</span>'
    tip = f"{text}: #{latent} (arrow key)"
    return f'<a href="{_other(view, latent)}" data-key="{key}" data-tip="{tip}" aria-label="{tip}">{arrow}</a>'
