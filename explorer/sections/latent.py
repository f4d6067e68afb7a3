"""The Latent page's sections."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.sections import parts
from explorer.sections.bars import density_bar, label_bars
from explorer.sections.pager import pager, range_text
from explorer.views.latent import LatentPage
from explorer.wording import DEFINITIONS, activation, figure, percent, plural


def title_line(view: LatentPage) -> str:
    """Number, name, density; previous and next; the link to this view."""
    ref = view.ref
    density = "dead" if ref.dead else percent(ref.density)
    here = links.latent_url(ref.latent, view.paging.page)
    return (
        f'<div class="sp-title" data-spa><h1><span class="sp-no">#{ref.latent}</span> · {parts.name_text(ref)} · '
        f"<span class='sp-share'>{density}</span>{_score(view)}</h1><div class='sp-tools'>{_neighbours(view)}"
        f'<a class="sp-copy" href="{escape(here)}" data-copy>copy link</a></div></div>'
    )


def gallery(view: LatentPage) -> str:
    """The strongest pictures first, to the very end."""
    said = parts.dim(f"{range_text(view.paging, 'picture')}, strongest first")
    line = parts.head("Gallery", DEFINITIONS["activation"], said)
    return f"<section>{line}{parts.gallery(view.tiles)}{pager(view.paging, 'the gallery')}</section>"


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


def histogram_head(view: LatentPage) -> str:
    """Above the histogram."""
    said = parts.dim(f"median {activation(view.median_activation)}, strongest {activation(view.max_activation)}")
    return parts.head("How strongly", DEFINITIONS["activation"], said)


def side(view: LatentPage) -> str:
    """Density, labels, similar latents."""
    return "".join([_density(view), _labels(view), similar(view)])


def similar(view: LatentPage) -> str:
    """Latents whose directions point the same way."""
    if not view.similar:
        return ""
    said = f"cosine; {view.n_dead_similar} dead left out" if view.n_dead_similar else "cosine"
    line = parts.head("Similar latents", DEFINITIONS["similar"], parts.dim(said))
    return f"<section>{line}{parts.strips(view.similar, 'sp-narrow')}</section>"


def ending(view: LatentPage) -> str:
    """Previous and next once more, where the page ends."""
    before = f'<a href="{links.latent_url(view.previous)}">‹ #{view.previous}</a>' if view.previous is not None else ""
    after = f'<a href="{links.latent_url(view.next)}">#{view.next} ›</a>' if view.next is not None else ""
    label = 'class="sp-ending" aria-label="neighbouring latents"'
    return f"<nav {label} data-spa><span>{before}</span><span>{after}</span></nav>"


def missing(said: str, n_latents: int) -> str:
    """The address names no latent of this store."""
    return parts.note(
        "No such latent",
        f"<p>This store has latents 0 … {n_latents - 1:,}; there is no “{escape(said)}”.</p>"
        f'<p><a href="{links.LATENTS}">All latents</a></p>',
    )


def _score(view: LatentPage) -> str:
    if view.name_score is None:
        return ""
    said = parts.dim(f"name score {figure(view.name_score)}")
    return f" {said}{parts.help_mark(DEFINITIONS['score'])}"


def _density(view: LatentPage) -> str:
    density, even = view.ref.density, percent(view.even_density)
    said = parts.dim(f"{view.n_active:,} of {plural(view.n_images, 'picture')}")
    line = parts.head("How often", DEFINITIONS["density"].format(even=even), said)
    return (
        f'<section>{line}<div class="sp-line"><span class="sp-density sp-wide">{density_bar(density)}'
        f"{percent(density)}</span>{parts.dim(f'evenly: {even}')}</div></section>"
    )


def _labels(view: LatentPage) -> str:
    if not view.labels:
        return ""
    line = parts.head("Labels", DEFINITIONS["labels"], parts.dim("gallery / store"))
    return f"<section>{line}{label_bars(view.labels)}</section>"


def _neighbours(view: LatentPage) -> str:
    """Links to the latents before and after; the arrow keys follow them."""
    before = _neighbour(view.previous, "ArrowLeft", "‹", "previous latent")
    after = _neighbour(view.next, "ArrowRight", "›", "next latent")
    return f'<span class="sp-neighbours">{before}{after}</span>'


def _neighbour(latent: int | None, key: str, arrow: str, text: str) -> str:
    if latent is None:
        return f'<span class="sp-off">{arrow}</span>'
    tip = f"{text}: #{latent} (arrow key)"
    return f'<a href="{links.latent_url(latent)}" data-key="{key}" data-tip="{tip}" aria-label="{tip}">{arrow}</a>'
