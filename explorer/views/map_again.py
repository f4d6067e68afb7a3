"""The map coloured by how near another SAE's directions come to each latent's."""

from __future__ import annotations

import numpy as np

from explorer.beside import Beside
from explorer.definitions import DEFINITIONS
from explorer.views import map_colors
from explorer.views.found_again import directions_again
from explorer.views.map_colors import Groups, Scale
from explorer.views.map_query import AGAIN
from explorer.wording import figure, plural
from sae_core import LatentStore


def menu(beside: Beside) -> dict[str, str]:
    """A colour for each SAE beside the store, by its key in addresses."""
    return {
        f"{AGAIN}{other.manifest.sae.fingerprint[:12]}": f"found again by {other.manifest.name}"
        for other in beside.stores
    }


def coloring(store: LatentStore, color: str, beside: Beside) -> Scale | Groups | None:
    """The same as in map_colors, other SAEs among the colours; None where no latent has the figure."""
    if not color.startswith(AGAIN):
        return map_colors.coloring(store, color)
    other = other_of(color, beside)
    found = None if other is None else directions_again(store, other)
    if found is None:
        return None
    values = np.full(store.n_latents, np.nan, np.float32)
    values[found.latents] = found.cosines
    return map_colors.scaled(values, figure, float(np.median(found.random)))


def definition(store: LatentStore, color: str, beside: Beside) -> str:
    """The figure in a sentence, with its baseline."""
    if not color.startswith(AGAIN):
        return map_colors.definition(store, color)
    other = other_of(color, beside)
    found = None if other is None else directions_again(store, other)
    n = 0 if found is None else len(found.random)
    return DEFINITIONS["found_again"].format(n=plural(n, "random direction"))


def other_of(color: str, beside: Beside) -> LatentStore | None:
    """The store whose SAE a colour names; None where it is not there."""
    mark = color.removeprefix(AGAIN)
    return next((one for one in beside.stores if one.manifest.sae.fingerprint.startswith(mark)), None)
