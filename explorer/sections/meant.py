"""The question which latent is meant by words."""

from __future__ import annotations

from html import escape

from explorer.sections import parts
from explorer.views.meant import Meant


def which_meant(meant: Meant, stay: bool = False) -> str:
    """Latents that words stand for, each with its pictures; `stay`: choosing one leaves the reader where they are."""
    ways = "".join(
        f'<div class="sp-relative"><a class="sp-strip" href="{escape(href)}" tabindex="-1" aria-hidden="true">'
        f"{''.join(parts.picture(tile, 72) for tile in tiles)}</a>"
        f'<div><a class="sp-under" href="{escape(href)}">{escape(ref.text)}</a></div></div>'
        for (ref, href), tiles in zip(meant.latents, meant.tiles, strict=True)
    )
    said = f"Latents with “{escape(meant.words)}” in their name or label, those called so first. Which is meant?"
    return (
        f'<section data-spa{" data-stay" if stay else ""}><p role="status">{said}</p>'
        f'<div class="sp-relatives">{ways}</div></section>'
    )
