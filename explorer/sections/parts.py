"""HTML of what several pages show: pictures, latents, notes. Everything foreign is escaped where it enters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from explorer.directions import isolated
from explorer.views.parts import LatentRef
from explorer.views.tiles import Tile
from explorer.wording import percent

BY_CLIP = "a name by CLIP’s similarity alone: labels and captions do not bear it out"
_SOME = 5  # of many, as many are said
_WORD = 96  # pixels: in a smaller picture the word does not fit


def help_mark(text: str) -> str:
    """The "?" beside a figure; the link script shows its text on hover and focus."""
    said = escape(text)
    return f'<button type="button" class="sp-q" data-tip="{said}" aria-label="{said}">?</button>'


def name_text(ref: LatentRef) -> str:
    """A latent's name, marked where a person gave it; or that it has none, and why."""
    if ref.hidden:
        return f'<i data-tip="{escape(ref.hint)}">withheld</i>'
    if ref.name:
        given = f' class="sp-given" data-tip="{escape(ref.hint)}"' if ref.hint else ""
        given = f' class="sp-byclip" data-tip="{BY_CLIP}"' if ref.by_clip and not given else given
        return f"<b{given}>{escape(isolated(ref.name))}</b>"
    return f'<i data-tip="{escape(ref.hint)}">unnamed</i>' if ref.hint else "<i>unnamed</i>"


def latent_link(ref: LatentRef) -> str:
    """`#123 · citrus slices · 0.8 %`, the same everywhere."""
    if ref.hidden:
        said = escape(ref.hint)
        return (
            f'<span class="sp-ref sp-dim" data-tip="{said}"><span class="sp-no">#{ref.latent}</span> · withheld</span>'
        )
    density = "dead" if ref.dead else percent(ref.density)
    return (
        f'<a class="sp-ref" href="{escape(ref.href)}"><span class="sp-no">#{ref.latent}</span> · {name_text(ref)} · '
        f'<span class="sp-dim">{density}</span></a>'
    )


def picture(tile: Tile, side: int) -> str:
    """One image; its caption in words where the store has no pictures."""
    if tile.hidden:
        said = "withheld" if side > _WORD else ""
        return f'<span class="sp-noimg sp-withheld" role="img" aria-label="withheld">{said}</span>'
    if tile.src is None:
        return f'<span class="sp-noimg">{escape(isolated(tile.caption))}</span>'
    return (
        f'<img loading="lazy" decoding="async" width="{side}" height="{side}" src="{escape(tile.src)}" '
        f'alt="{escape(tile.caption)}">'
    )


def picture_link(tile: Tile, side: int = 120) -> str:
    """A picture that leads to its own sparse code, its figure underneath; a withheld one leads nowhere."""
    under = "" if tile.figure is None else f'<span class="sp-fig">{escape(tile.figure_text)}</span>'
    if tile.hidden:
        return f'<span class="sp-tile" data-tip="{escape(tile.hint)}">{picture(tile, side)}{under}</span>'
    return (
        f'<a class="sp-tile" href="{escape(tile.href)}" data-tip="{escape(tile.hint)}">{picture(tile, side)}{under}</a>'
    )


def gallery(tiles: Iterable[Tile], kind: str = "") -> str:
    """A grid of pictures."""
    return f'<div class="sp-gallery {kind}" data-spa>{"".join(picture_link(tile) for tile in tiles)}</div>'


def add_button(latent: int, words: bool = False) -> str:
    """Puts a latent on the reader's list and takes it off again; the link script answers it, and shows which it is.

    On a card it is no stop of the keyboard: there the key "+" does the same.
    """
    kind, text, how = ("sp-add", "+", 'tabindex="-1" aria-keyshortcuts="+"')
    if words:
        kind, text, how = ("sp-add sp-copy", "+ list", "data-add-text")
    return (
        f'<button type="button" class="{kind}" data-add="{latent}" {how} aria-label="add #{latent} to your list">'
        f"{text}</button>"
    )


def note(title: str, text: str) -> str:
    """An empty, dead or failed state: what it is, why, what next. `text` is HTML."""
    return f'<div class="sp-note" role="status" data-spa><h2>{escape(title)}</h2>{text}</div>'


def left_out(parts: Sequence[str]) -> str:
    """What of the address was not used, in one quiet line."""
    if not parts:
        return ""
    some = ", ".join(f"“{escape(isolated(part))}”" for part in parts[:_SOME]) + (" …" if len(parts) > _SOME else "")
    return f'<p class="sp-dim sp-leftout" role="status">Left out of this address: {some}.</p>'


def head(title: str, help_text: str = "", beside: str = "") -> str:
    """A section's heading with its "?"; `beside` is HTML for the line's end."""
    mark = help_mark(help_text) if help_text else ""
    return f'<div class="sp-head"><h2>{escape(title)}{mark}</h2>{beside}</div>'


def refusal(sentence: str) -> str:
    """What was said and cannot be done."""
    return f'<p class="sp-refused" role="alert">{escape(sentence)}</p>'


def caution(sentence: str, role: str = "note") -> str:
    """What must be read with a figure, though nothing was refused; a "status" is read aloud where it answers."""
    return f'<span class="sp-caution" role="{role}">{escape(sentence)}</span>'


def dim(text: str) -> str:
    """A quiet remark."""
    return f'<span class="sp-dim">{escape(text)}</span>'
