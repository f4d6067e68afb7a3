"""The header of every page, and what stands under it when there is nothing to show."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.wording import NBSP, plural
from sae_core import LatentStore
from sae_core.errors import SparsightError, StoreError
from sae_core.references import DEMO_LISTING
from sae_core.store.manifest import Manifest

_PAGES = (
    (links.HOME, "", "Home"),
    (links.LATENTS, "latents", "Latents"),
    (links.MAP, "map", "Map"),
    (links.PICTURES, "pictures", "Pictures"),
    (links.INSPECT, "inspect", "Inspect"),
    (links.COMPARE, "compare", "Compare"),
    (links.SPANS, "spans", "Spans"),
    (links.LIST, "list", "List"),
    (links.QUALITY, "quality", "Quality"),
)
_LOG_OUT = '<a href="auth/logout" data-leaves>log out</a>'
_PARTS_OF = {"latent": "latents", "notes": "list"}  # a page that belongs to another one's entry


def header(url_path: str, store: LatentStore | None, query: str = "", log_out: bool = False) -> str:
    """The store's name and size, the pages, the search box; without a store only the pages."""
    brand = f'<a class="sp-brand" href="{links.HOME}"><span class="sp-mark"></span>Sparsight</a>'
    list_of = (
        f' data-list-of="{store.manifest.sae.fingerprint[:16]}"' if store else ""
    )  # a list is of one SAE's latents
    return (
        f'<header class="sp-header" data-spa{list_of}>{brand}{_store_line(store)}'
        f'<nav aria-label="pages">{_navigation(url_path)}{_LOG_OUT if log_out else ""}</nav>'
        f"{_search_box(query) if store else ''}</header>"
    )


def failure(error: SparsightError) -> str:
    """What is wrong, all of it, and the command that mends it."""
    title, mend = "This cannot be shown", ""
    if isinstance(error, StoreError):
        title = "There is no store to show"
        mend = f"<p>What mends it:</p><pre>{escape(error.hint)}</pre><p>Then reload this page.</p>"
    return f'<div class="sp-note sp-failed" role="alert"><h2>{title}</h2>{_what_is_wrong(error)}{mend}</div>'


def sentence(text: str) -> str:
    """Messages are written for a command line: no capital, no full stop."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def _what_is_wrong(error: SparsightError) -> str:
    """The message; where it is a list of defects, as a list."""
    defects = error.defects if isinstance(error, StoreError) else []
    if len(defects) < 2:
        return f"<p>{escape(sentence(str(error)))}</p>"
    lead = str(error).split(": ", 1)[0]
    return f"<p>{escape(lead)}:</p><ul>{''.join(f'<li>{escape(defect)}</li>' for defect in defects)}</ul>"


def _store_line(store: LatentStore | None) -> str:
    if store is None:
        return ""
    manifest = store.manifest
    k = f"k{NBSP}{'≤' + NBSP if store.has_thresholds else ''}{manifest.k}"
    sizes = f"{plural(manifest.n_images, 'image')} · {plural(manifest.n_latents, 'latent')}"
    made = f" · demonstration {_what_is_small(manifest)}" if manifest.demonstration else ""
    whole = escape(f"{manifest.name}: {sizes} · {k}{made}")  # where the line is cut
    said = f'{sizes}<span class="sp-k"> · {k}</span>{made}'
    return f'<span class="sp-store" title="{whole}"><b>{escape(manifest.name)}</b> <span>{said}</span></span>'


def _what_is_small(manifest: Manifest) -> str:
    """Somebody's own pictures are no demonstration, whatever encoded them."""
    return "store" if manifest.source.listing_sha256 == DEMO_LISTING else "encoder"


def _navigation(url_path: str) -> str:
    here = _PARTS_OF.get(url_path, url_path)
    return "".join(
        f'<a href="{href}"{" aria-current=page" if path == here else ""}>{name}</a>' for href, path, name in _PAGES
    )


def _search_box(query: str) -> str:
    """A plain form; the link script sends a number straight to its latent."""
    return (
        f'<form class="sp-search" role="search" action="{links.LATENTS}" method="get" data-form>'
        f'<input type="search" name="q" value="{escape(query)}" maxlength="100" autocomplete="off" '
        'aria-label="search latents: a number, or words of a name or label" placeholder="#123 or words">'
        "<kbd>/</kbd></form>"
    )
