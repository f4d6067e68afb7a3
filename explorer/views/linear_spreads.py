"""Distributions of figures that are 1 at best, each with its baseline and the outlines of random directions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from explorer import links
from explorer.views.distributions import Distribution, extremes, known, linear_bins, outlines
from explorer.wording import count, figure, plural
from sae_core import LatentStore

_OUTLINED = ("covariance", "isotropic")
_SHORT = {"covariance": "with the pictures’ covariance", "isotropic": "isotropic"}


def linear_spread(
    store: LatentStore,
    column: str,
    *,
    title: str,
    axis: str,
    baseline: float,
    baseline_words: str,
    definition: str,
    remark: str,
    sort: str,
    write: Callable[[float], str] = figure,
    baselines: pd.Series[float] | None = None,
) -> Distribution | None:
    """A figure that is 1 at best; None where no latent has it. `baselines`: one of each latent's own."""
    values = known(store.latents, column)
    if values.empty:
        return None
    edges, counts = linear_bins(values, min(0.0, float(np.floor(10 * values.min()) / 10)), 1.0)
    high, low = extremes(store, values, write)
    controls = outlines(store, column, edges, len(values), _OUTLINED)
    medians = " and ".join(f"{write(one.median)} ({_SHORT[one.kind]})" for one in controls)
    others = f" Random directions as frequent: median {medians}." if controls else ""
    n_above = count(int((values > (baseline if baselines is None else baselines[values.index])).sum()))
    which = "the baseline" if baselines is None else "the baseline of their own gallery’s size"
    return Distribution(
        key=column,
        title=title,
        summary=f"Median {write(float(values.median()))}; {n_above} of {plural(len(values), 'latent')} lie above "
        f"{which} ({baseline_words}{'' if baselines is None else ' on average'}).{others}{remark}",
        definition=definition,
        axis=axis,
        edges=edges,
        counts=counts,
        outlines=controls,
        log=False,
        baseline=baseline,
        baseline_words=baseline_words,
        ends=("highest", "lowest"),
        highest=high,
        lowest=low,
        sorted_url=links.latents_url({"sort": sort}),
    )
