"""Numbers and names as people read them. One word for one thing, written the same way everywhere."""

from __future__ import annotations

import math

from sae_core.naming import CARRIED_AMONG

NBSP = "\u00a0"

_ALL = 100 - 1e-5  # percent; less is not all, even of a million, and rounding errors are smaller

CONTROLS = {  # what each kind is called
    "latent": "the latents’ own directions",
    "covariance": "random directions with the pictures’ covariance",
    "isotropic": "isotropic random directions",
}


def count(n: int) -> str:
    """4973 -> `4,973`."""
    return f"{n:,}"


def plural(n: int, noun: str) -> str:
    """`1 picture`, `4,973 pictures`."""
    return f"{n:,}{NBSP}{noun}{'' if n == 1 else 's'}"


def carried_words(n: int) -> str:
    """How many of a gallery's strongest pictures say its name themselves."""
    return f"{n} of the {CARRIED_AMONG} strongest pictures {'carries' if n == 1 else 'carry'} it in label or caption"


def percent(share: float) -> str:
    """0.008 -> `0.8 %`: two figures below ten, whole ones above, never a rounded zero nor a rounded hundred."""
    if not math.isfinite(share):
        return "–"
    value = 100 * share
    if 99.5 <= value < _ALL:
        return f"{min(value, 99.9):.1f}{NBSP}%"
    if value == 0 or value >= 10:
        return f"{value:.0f}{NBSP}%"
    return (
        f"{value:.1f}{NBSP}%" if value >= 0.095 else f"{value:.2g}{NBSP}%" if value >= 0.001 else f"<{NBSP}0.001{NBSP}%"
    )


def figure(value: float, digits: int = 2) -> str:
    """A number with fixed digits; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    said = f"{value:.{digits}f}"
    return said.replace("-", "−") if float(said) else said.lstrip("-")  # what rounds to nothing has no sign


def activation(value: float) -> str:
    """Three figures or so: activations of one SAE are around 0.1, of another around 10."""
    return figure(value, 3 if abs(value) < 1 else 2)


def expected(n: float) -> str:
    """A count that chance would give: whole from ten on, never a rounded zero."""
    if n >= 10:
        return f"{n:,.0f}"
    return figure(n, 1) if n >= 0.05 else f"under{NBSP}0.1"


def times(value: float) -> str:
    """A lift: 12.34 -> `12.3×`, whole from a hundred on."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}×" if value >= 100 else f"{value:.1f}×"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign: `+3.2`, `−0.4`."""
    said = figure(value, digits)
    return said if said.startswith(("−", "–")) or not float(said) else f"+{said}"


def latent_text(latent: int, name: str | None, density: float) -> str:
    """`#123 · citrus slices · 0.8 %`: number, name or "unnamed", density."""
    return f"#{latent} · {name or 'unnamed'} · {percent(density)}"
