"""The report card's distributions: which figure, which question, which baseline."""

from __future__ import annotations

import pandas as pd

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.views.distributions import Distribution, decade_bins, extremes, known
from explorer.views.linear_spreads import linear_spread
from explorer.views.random_purity import random_purities, random_purity
from explorer.wording import count, figure, percent, plural
from sae_core import LatentStore


def density(store: LatentStore) -> Distribution | None:
    """How often latents are active; None where all are dead."""
    values = known(store.latents, "density")
    if values.empty:
        return None
    even = store.even_density
    edges, counts = decade_bins(values, 1 / store.n_images)
    high, low = extremes(store, values, lambda _density: "")
    n_dead = store.manifest.report.n_dead  # not the withheld ones, which look dead here
    return Distribution(
        key="density",
        title="How often are latents active?",
        summary=f"{plural(n_dead, 'dead latent')} cannot be shown on this axis. Half of the others are active in "
        f"{percent(float(values.median()))} of the pictures or fewer.",
        definition=DEFINITIONS["density_spread"].format(even=percent(even)),
        axis="density (log scale)",
        edges=edges,
        counts=counts,
        outlines=(),  # controls are as frequent as latents by construction
        log=True,
        baseline=even,
        baseline_words=f"evenly {percent(even)}",
        ends=("most frequent", "rarest"),
        highest=high,
        lowest=low,
        sorted_url=links.latents_url({"sort": "frequent"}),
    )


def monosemanticity(store: LatentStore) -> Distribution | None:
    """How alike the pictures of a latent are."""
    baseline = store.manifest.report.monosemanticity_baseline
    return linear_spread(
        store,
        "monosemanticity",
        title="Are a latent’s pictures alike?",
        axis="monosemanticity (MS, cosine)",
        baseline=baseline,
        baseline_words=f"two random pictures {figure(baseline)}",
        definition=DEFINITIONS["monosemanticity"].format(baseline=figure(baseline)),
        remark=" Alike to the store’s own encoder, that is: the paper compares pictures by another one (DINOv2). "
        "Latents that follow CLIP’s own confusions score better here, and the figures compare with stores of this "
        "encoder only.",
        sort="mono",
    )


def split_half(store: LatentStore) -> Distribution | None:
    """Whether half of the store says what the other half does."""
    baseline = store.manifest.report.split_half_baseline
    return linear_spread(
        store,
        "split_half",
        title="Would other pictures tell the same?",
        axis="split-half stability (cosine)",
        baseline=baseline,
        baseline_words=f"two different latents {figure(baseline)}",
        definition=DEFINITIONS["split_half"].format(baseline=figure(baseline)),
        remark="",
        sort="stable",
    )


def name_score(store: LatentStore) -> Distribution | None:
    """How good the best candidate names are."""
    return linear_spread(
        store,
        "name_score",
        title="Does the name find the pictures?",
        axis="name score (held-out AUC)",
        baseline=0.5,
        baseline_words="a name that says nothing 0.5",
        definition=DEFINITIONS["score"],
        remark=f" These are scores of the best candidate of every latent, good or not.{_tests(store)}",
        sort="score",
    )


def _tests(store: LatentStore) -> str:
    """Which of them are of the harder test."""
    alive = store.latents[(store.latents["n_active"] > 0) & store.latents["name_score"].notna()]
    n = int((alive["name_match"] == "text").sum())
    if not n:
        return ""
    return (
        f" {count(n)} of them are tests of the pictures’ own labels and captions, yes or no, which score lower by "
        "nature; the others are CLIP’s."
    )


def label_purity(store: LatentStore) -> Distribution | None:
    """How far a gallery carries one label: each beside random galleries of its own size, which decides most of it."""
    baselines = random_purities(store)
    baseline = random_purity(store)
    return linear_spread(
        store,
        "label_purity",
        title="Does a gallery carry one label?",
        axis="label purity",
        baseline=baseline,
        baseline_words=f"random galleries {percent(baseline)}",
        baselines=pd.Series(baselines, store.latents.index),
        definition=DEFINITIONS["purity_spread"].format(baseline=percent(baseline)),
        remark="",
        sort="purity",
        write=percent,
    )


SPREADS = (density, monosemanticity, split_half, name_score, label_purity)  # in the page's order
