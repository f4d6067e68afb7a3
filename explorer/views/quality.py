"""Quality: what the SAE is worth on this store, figure by figure, each against its baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from explorer import links
from explorer.views.distributions import (
    Distribution,
    decade_bins,
    extremes,
    known,
    linear_bins,
)
from explorer.views.striking import MIN_PICTURES
from explorer.wording import DEFINITIONS, count, figure, percent, plural
from sae_core import LatentStore
from sae_core.store.manifest import DENSE

_DRAWS = 300  # random galleries for the baseline of label purity


@dataclass(frozen=True)
class Figure:
    """One figure of the report card."""

    name: str
    value: str
    beside: str  # its baseline, in short
    definition: str
    url: str | None = None  # the latents that it counts


@dataclass(frozen=True)
class Quality:
    """The report card."""

    sentence: str
    figures: tuple[Figure, ...]
    distributions: tuple[Distribution, ...]
    rule: str  # which latents stand at the ends


def build_quality(store: LatentStore) -> Quality:
    """All figures that this store has."""
    builders = (_density, _monosemanticity, _split_half, _name_score, _purity)
    drawn = (build(store) for build in builders)
    return Quality(
        sentence=f"How faithful, how sparse and how clear the SAE {store.manifest.sae.ref} is on the "
        f"{plural(store.n_images, 'picture')} of this store.",
        figures=_figures(store),
        distributions=tuple(one for one in drawn if one is not None),
        rule=f"Highest and lowest are chosen among latents active in {MIN_PICTURES} pictures or more: with fewer, "
        "a figure says little.",
    )


def _figures(store: LatentStore) -> tuple[Figure, ...]:
    report, latents = store.manifest.report, store.latents
    random = figure(report.random_pair_cosine)
    alive = latents[latents["n_active"] > 0]
    named = float(alive["name_good"].mean()) if len(alive) else float("nan")
    return (
        Figure("FVU", figure(report.fvu, 3), "mean embedding: 1", DEFINITIONS["fvu"]),
        Figure(
            "cosine", figure(report.cosine, 3), f"random pair: {random}", DEFINITIONS["cosine"].format(random=random)
        ),
        Figure("L0", figure(report.l0, 1), f"k: {store.k}", DEFINITIONS["l0"].format(k=store.k)),
        Figure(
            "dead latents",
            f"{count(report.n_dead)} ({percent(report.n_dead / store.n_latents)})",
            "all used: 0",
            DEFINITIONS["dead"],
            links.latents_url({"life": "dead"}),
        ),
        Figure(
            "dense latents",
            f"{count(report.n_dense)} ({percent(report.n_dense / store.n_latents)})",
            f"evenly: {percent(store.k / store.n_latents)} each",
            DEFINITIONS["dense"].format(dense=percent(DENSE), even=percent(store.k / store.n_latents)),
            links.latents_url({"min": DENSE, "sort": "frequent"}),
        ),
        Figure(
            "with a good name",
            percent(named),
            "random names: 0",
            DEFINITIONS["good_names"],
            links.latents_url({"names": "good", "sort": "score"}),
        ),
    )


def _density(store: LatentStore) -> Distribution | None:
    values = known(store.latents, "density")
    if values.empty:
        return None
    even = store.k / store.n_latents
    edges, counts = decade_bins(values, 1 / store.n_images)
    high, low = extremes(store, values, lambda _density: "")
    n_dead = store.n_latents - len(values)
    return Distribution(
        key="density",
        title="How often are latents active?",
        summary=f"{plural(n_dead, 'dead latent')} cannot be shown on this axis. Half of the others are active in "
        f"fewer than {percent(_median(values))} of the pictures.",
        definition=DEFINITIONS["density_spread"].format(even=percent(even)),
        axis="density (log scale)",
        edges=edges,
        counts=counts,
        log=True,
        baseline=even,
        baseline_words=f"evenly {percent(even)}",
        ends=("most frequent", "rarest"),
        highest=high,
        lowest=low,
        sorted_url=links.latents_url({"sort": "frequent"}),
    )


def _monosemanticity(store: LatentStore) -> Distribution | None:
    baseline = store.manifest.report.monosemanticity_baseline
    return _linear(
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


def _split_half(store: LatentStore) -> Distribution | None:
    baseline = store.manifest.report.split_half_baseline
    return _linear(
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


def _name_score(store: LatentStore) -> Distribution | None:
    return _linear(
        store,
        "name_score",
        title="Does the name find the pictures?",
        axis="name score (held-out AUC)",
        baseline=0.5,
        baseline_words="a name that says nothing 0.5",
        definition=DEFINITIONS["score"],
        remark=" These are scores of the best candidate of every latent, good or not.",
        sort="score",
    )


def _purity(store: LatentStore) -> Distribution | None:
    baseline = random_purity(store)
    return _linear(
        store,
        "label_purity",
        title="Does a gallery carry one label?",
        axis="label purity",
        baseline=baseline,
        baseline_words=f"random galleries {percent(baseline)}",
        definition=DEFINITIONS["purity_spread"].format(baseline=percent(baseline)),
        remark="",
        sort="purity",
        write=percent,
    )


def random_purity(store: LatentStore) -> float:
    """Mean label purity of galleries of the latents' sizes whose pictures are drawn at random; NaN without labels."""
    sizes = store.latents["n_active"].to_numpy()
    sizes = sizes[sizes > 0]
    counts = np.asarray(store.labels.counts, dtype=np.float64)
    if not len(sizes) or not counts.sum():
        return float("nan")
    rng = np.random.default_rng(0)
    shares = np.append(counts, store.n_images - counts.sum()) / store.n_images  # the last: without a label
    drawn = rng.choice(sizes, min(_DRAWS, len(sizes)), replace=False)
    return float(np.mean([rng.multinomial(size, shares)[:-1].max() / size for size in drawn]))


def _linear(
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
) -> Distribution | None:
    """A figure that is 1 at best; None where no latent has it."""
    values = known(store.latents, column)
    if values.empty:
        return None
    edges, counts = linear_bins(values, min(0.0, float(np.floor(10 * values.min()) / 10)), 1.0)
    high, low = extremes(store, values, write)
    n_above = count(int((values > baseline).sum()))
    return Distribution(
        key=column,
        title=title,
        summary=f"Median {write(_median(values))}; {n_above} of {plural(len(values), 'latent')} lie above the "
        f"baseline ({baseline_words}).{remark}",
        definition=definition,
        axis=axis,
        edges=edges,
        counts=counts,
        log=False,
        baseline=baseline,
        baseline_words=baseline_words,
        ends=("highest", "lowest"),
        highest=high,
        lowest=low,
        sorted_url=links.latents_url({"sort": sort}),
    )


def _median(values: pd.Series[float]) -> float:
    return float(values.median())
