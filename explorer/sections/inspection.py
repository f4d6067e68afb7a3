"""The Inspect page's sections."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.sections import parts
from explorer.sections.bars import active_bar
from explorer.uploads import Upload
from explorer.views.inspection import Inspection, StorePicture, in_words
from explorer.views.parts import LatentCard, Tile
from explorer.wording import DEFINITIONS, activation, figure, plural


def store_picture(view: StorePicture) -> str:
    """The picture, what is known of it, and a way on."""
    here, another = links.inspect_url(view.tile.image_id), links.inspect_url(view.another)
    ranked = links.latents_url({"image": view.tile.image_id})
    return (
        f'<figure class="sp-picture" data-spa>{parts.picture(view.tile, 336)}'
        f"<figcaption>{escape(view.tile.caption)}</figcaption>{_facts(view.facts)}"
        f'<div class="sp-tools"><a class="sp-copy" href="{escape(another)}">another one</a>'
        f'<a class="sp-copy" href="{escape(here)}" data-copy>copy link</a></div>'
        f'<p><a class="sp-under" href="{escape(ranked)}">all latents ranked for this picture</a></p></figure>'
    )


def uploaded_picture(upload: Upload, another: int) -> str:
    """A visitor's own picture; it lives in this session only."""
    facts = (("original", upload.size), ("kept", "in this session's memory only"))
    return (
        f'<figure class="sp-picture" data-spa><img src="{escape(upload.data_uri)}" alt="{escape(upload.name)}">'
        f"<figcaption>{escape(upload.name)}</figcaption>{_facts(facts)}<div class='sp-tools'>"
        f'<a class="sp-copy" href="{escape(links.inspect_url(another))}">one from the store</a></div></figure>'
    )


def reconstruction(view: Inspection) -> str:
    """The reconstruction's cosine, in words and beside its baselines."""
    mean, random = figure(view.mean_cosine, 3), figure(view.random_pair_cosine, 3)
    tip = DEFINITIONS["reconstruction"].format(mean=mean, random=random)
    baselines = parts.dim(f"The store’s pictures have {mean} on average, two random pictures {random}.")
    return (
        f'<p class="sp-lead">{escape(in_words(view))}: cosine <b class="sp-num">{figure(view.cosine, 3)}</b>'
        f"{parts.help_mark(tip)} {baselines}</p>"
    )


def code(view: Inspection) -> str:
    """The sparse code as a bar chart: a row per active latent, all bars on one scale, its pictures beside it."""
    said = parts.dim(f"{plural(len(view.code), 'active latent')} (k = {view.k}), bar = activation")
    line = parts.head("Sparse code", DEFINITIONS["activation"], said)
    if not view.code:
        return (
            f"<section>{line}<p>None of the k strongest pre-activations is above 0: no latent is active.</p></section>"
        )
    longest = max(card.figure or 0.0 for card in view.code)
    rows = "".join(_code_row(card, longest) for card in view.code)
    return f'<section>{line}<div class="sp-code" role="list" data-spa>{rows}</div></section>'


def nearest(view: Inspection) -> str:
    """Pictures with the most similar embeddings."""
    tip = DEFINITIONS["nearest"].format(random=figure(view.random_pair_cosine))
    return f"<section>{parts.head('Nearest pictures', tip, parts.dim('cosine'))}{parts.gallery(view.nearest)}</section>"


def invitation(tiles: tuple[Tile, ...]) -> str:
    """Before anything was chosen."""
    return f"<section>{parts.head('Or take one from the store')}{parts.gallery(tiles, 'sp-oneline')}</section>"


def missing(said: str, n_images: int) -> str:
    """The address names no picture of this store."""
    return parts.note(
        "No such picture",
        f"<p>This store has pictures 0 … {n_images - 1:,}; there is no “{escape(said)}”.</p>"
        f'<p><a href="{links.INSPECT}">Choose another one</a></p>',
    )


def refused(sentence: str) -> str:
    """An upload that cannot be shown."""
    return f'<p class="sp-refused" role="alert">{escape(sentence)}</p>'


def _facts(facts: tuple[tuple[str, str], ...]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f'<dl class="sp-list">{rows}</dl>'


def _code_row(card: LatentCard, longest: float) -> str:
    strength = card.figure or 0.0
    hint = parts.dim(f"mostly {card.top_label}") if card.top_label and not card.ref.name else ""
    return (
        f'<div class="sp-row" role="listitem"><div class="sp-rowtext"><div class="sp-line">'
        f'{parts.latent_link(card.ref)}{hint}<span class="sp-num">{activation(strength)}</span></div>'
        f"{active_bar(strength / longest if longest > 0 else 0.0)}</div>{parts.strip(card)}</div>"
    )
