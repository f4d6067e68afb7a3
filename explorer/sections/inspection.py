"""The Inspect page's sections."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.uploads import Upload
from explorer.views.inspect_query import InspectQuery
from explorer.views.inspection import Inspection, StorePicture, in_words
from explorer.views.selection import BEFORE
from explorer.views.tiles import Tile
from explorer.wording import figure


def store_picture(view: StorePicture, query: InspectQuery) -> str:
    """The picture, what is known of it, and a way on, which keeps the texts."""
    here, prompts = query.url(), "\n".join(query.prompts or ())
    another = links.inspect_url(view.another, prompts=prompts, prompt=query.prompt or None)
    ranked = links.latents_url({"image": view.tile.image_id})
    width, height = view.sides  # so that its place is kept until it has come
    return (
        f'<figure class="sp-picture" style="--ratio: {width} / {height}" data-spa>{parts.picture(view.tile, 336)}'
        f"<figcaption>{escape(isolated(view.tile.caption))}</figcaption>{_facts(view.facts)}"
        f'<div class="sp-tools"><a class="sp-copy" href="{escape(another)}">another one</a>'
        f'<a class="sp-copy" href="{escape(here)}" data-copy>copy link</a></div>'
        f'<p><a class="sp-under" href="{escape(ranked)}">all latents ranked for this picture</a></p></figure>'
    )


def uploaded_picture(upload: Upload, another: int, before: Upload | None = None) -> str:
    """A visitor's own picture; it lives in this session only, as does the one before it."""
    seen = (("CLIP sees", upload.part),) if upload.part else ()
    facts = (("original", upload.size), *seen, ("kept", "in this session's memory only"))
    return (
        f'<figure class="sp-picture" data-spa><img src="{escape(upload.data_uri)}" alt="{escape(upload.name)}">'
        f"<figcaption>{escape(isolated(upload.name))}</figcaption>{_facts(facts)}<div class='sp-tools'>"
        f'<a class="sp-copy" href="{escape(links.inspect_url(another))}">one from the store</a></div>'
        f"{_with_the_one_before(before)}</figure>"
    )


def _with_the_one_before(before: Upload | None) -> str:
    if before is None:
        return ""
    both = links.compare_url({"a": f"upload:{BEFORE}", "b": "upload"})
    name = escape(isolated(before.name))
    return f'<p><a class="sp-under" href="{escape(both)}">compare with {name}, your picture before</a></p>'


def camera_link(query: InspectQuery, asked: bool) -> str:
    """The camera is offered; it opens only where somebody asks for it."""
    said, url = ("close the camera", query.url(camera=None)) if asked else ("use the camera", query.url(camera=1))
    return f'<p class="sp-dim sp-camera" data-spa data-stay><a class="sp-under" href="{escape(url)}">{said}</a></p>'


def reconstruction(view: Inspection, edited: bool = False) -> str:
    """The reconstruction's cosine, in words and beside its baselines; then its FVU. An edit changes none of it."""
    said = in_words(view)
    said = f"Before the edit, {said[:1].lower()}{said[1:]}" if edited else said
    mean, random = figure(view.mean_cosine, 3), figure(view.random_pair_cosine, 3)
    tip = DEFINITIONS["reconstruction"].format(mean=mean, random=random)
    baselines = parts.dim(f"The store’s pictures have {mean} on average, with another picture’s code {random}.")
    fvu_tip = parts.help_mark(DEFINITIONS["fvu_here"].format(mean=figure(view.mean_fvu, 3)))
    return (
        f'<p class="sp-lead">{escape(said)}: cosine <b class="sp-num">{figure(view.fit.cosine, 3)}</b>'
        f'{parts.help_mark(tip)}, FVU <b class="sp-num">{figure(view.fit.fvu, 3)}</b>{fvu_tip} {baselines}</p>'
    )


def nearest(view: Inspection) -> str:
    """Pictures with the most similar embeddings."""
    tip = DEFINITIONS["nearest"].format(random=figure(view.pair_cosine))
    head = parts.head("Nearest pictures", tip, parts.dim("cosine"))
    return f'<section id="nearest">{head}{parts.gallery(view.nearest, "sp-dozen")}</section>'


def invitation(tiles: tuple[Tile, ...], lead: bool = True) -> str:
    """Before anything was chosen: what this page answers (`lead`), and pictures to begin with."""
    said = (
        '<section><h1>What is in a picture?</h1><p class="sp-lead">Which latents rewrite CLIP’s embedding of it, '
        "how much they keep, where in the picture each looks, what each adds to the score of a text, and what changes "
        "without one.</p></section>"
        if lead
        else ""
    )
    return f"{said}<section>{parts.head('Or take one from the store')}{parts.gallery(tiles, 'sp-oneline')}</section>"


def no_upload() -> str:
    """The address asks about an upload that this session does not have."""
    return parts.note(
        "This address is of an upload",
        "<p>Pictures that people upload are not stored: only the browser tab in which this one was chosen has it, "
        "until it is reloaded. Choose it again, and the texts, edits and heat map of this address apply to it as "
        "before. "
        f"{parts.dim('The address does not say which picture it was, so they apply to whichever you choose.')}</p>",
    )


def withheld(image_id: int, another: int | None) -> str:
    """A picture on the store's hide-list; `another` is one that is shown."""
    onwards = "" if another is None else f'<a href="{escape(links.inspect_url(another))}">Another picture</a> · '
    return parts.note(
        f"Picture {image_id:,} is withheld",
        f'<p>Those who share this store do not show it.</p><p>{onwards}<a href="{links.INSPECT}">Choose one</a></p>',
    )


def missing(said: str, n_images: int) -> str:
    """The address names no picture of this store."""
    return parts.note(
        "No such picture",
        f"<p>This store has pictures 0 … {n_images - 1:,}; there is no “{escape(said)}”.</p>"
        f'<p><a href="{links.INSPECT}">Choose another one</a></p>',
    )


def refused(sentence: str) -> str:
    """An upload that cannot be shown."""
    return parts.refusal(sentence)


def _facts(facts: tuple[tuple[str, str], ...]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(isolated(value))}</dd>" for name, value in facts)
    return f'<dl class="sp-list">{rows}</dl>'
