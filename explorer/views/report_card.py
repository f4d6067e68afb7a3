"""The figures of an SAE on a store that are one number each, with their baselines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.recent import RecentArrays
from explorer.views.controls import controls_of
from explorer.wording import CONTROLS, count, figure, percent, plural
from sae_core import LatentStore
from sae_core.components import components_fvu
from sae_core.store.manifest import DENSE

_recent = RecentArrays(1 << 12)


@dataclass(frozen=True)
class Figure:
    """One figure of the report card."""

    name: str
    value: str
    beside: str  # its baseline, in short
    definition: str
    url: str | None = None  # the latents that it counts


def report_figures(store: LatentStore) -> tuple[Figure, ...]:
    """All that this store has; the most telling first."""
    report, latents = store.manifest.report, store.latents
    random = figure(report.random_pair_cosine)
    alive = latents[latents["n_active"] > 0]
    named = float(alive["name_good"].mean()) if len(alive) else float("nan")
    recall = report.nearest_recall
    said = f"{100 * (recall or 0):.1f} %"  # a tenth counts: 99.7 % is not all of them
    found = Figure("nearest pictures found", said, "exhaustive: 100 %", DEFINITIONS["nearest_recall"])
    return (
        _fvu(store),
        Figure(
            "cosine",
            figure(report.cosine, 3),
            f"another picture’s: {random}",
            DEFINITIONS["cosine"].format(random=random),
        ),
        Figure("L0", figure(report.l0, 1), f"at most: {store.k}", DEFINITIONS["l0"].format(k=store.k)),
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
            f"evenly: {percent(store.even_density)} each",
            DEFINITIONS["dense"].format(dense=percent(DENSE), even=percent(store.even_density)),
            links.latents_url({"min": DENSE, "sort": "frequent"}),
        ),
        _good_names(store, named),
        *((found,) if recall is not None else ()),
    )


def reconstruction_warning(store: LatentStore) -> str | None:
    """Where the SAE reconstructs no better than directions that nobody trained: that it does, and the way out."""
    report, held_out = store.manifest.report, store.manifest.sae.fvu_held_out
    if report.random_fvu is None:
        return None
    random = f"no less than {plural(store.n_latents, 'random direction')} do ({figure(report.random_fvu, 3)})"
    if report.no_better_than_random:
        return (
            f"The SAE leaves an FVU of {figure(report.fvu, 3)}, {random}: it fits these pictures no better than "
            "chance, and its latents may mean nothing. Check that this store’s encoder is the model that the SAE was "
            "trained on; if it is, train one on this store’s embeddings (train-sae) and take it with recode."
        )
    if held_out is None or held_out < report.random_fvu:
        return None
    return (
        f"Of embeddings that its training held out the SAE leaves an FVU of {figure(held_out, 3)}, {random}: what it "
        "learned of its own pictures does not carry over to new ones, uploads among them. Train one on more pictures, "
        "with fewer latents or for fewer steps (train-sae), and take it with recode."
    )


def _of_components(store: LatentStore, n_kept: int) -> float:
    """FVU of as many principal components; kept, since a decomposition of 512 x 512 is slower than the whole page."""
    moments = store.mean_embedding, store.moments.products.sum(0), store.n_images
    key = (str(store.path), store.version, n_kept)
    return float(_recent.get(key, lambda: (np.array(components_fvu(*moments, n_kept)),))[0])


def _fvu(store: LatentStore) -> Figure:
    """Beside the strongest baseline that the store knows; the others are in the definition."""
    report = store.manifest.report
    n, definition = store.n_latents, DEFINITIONS["fvu"] + _of_training(store)
    n_kept = max(round(report.l0), 1)
    definition += f" Others: {figure(_of_components(store, n_kept), 3)}, {plural(n_kept, 'principal component')}"
    if not report.untrained:
        return Figure("FVU", figure(report.fvu, 3), "mean embedding: 1", f"{definition}.")
    for name, fvu in report.untrained.items():
        definition += f"; {figure(fvu, 3)}, a dictionary of {count(n)} {name}"
    definition += f", of which each picture takes {n_kept}, one by one, by orthogonal matching pursuit; the pictures "
    definition += "in a dictionary are not judged."
    best, fvu = next(iter(report.untrained.items()))
    beside = f"{best}: {figure(fvu, 3)}"
    if (known := store.manifest.sae.fvu_held_out) is not None:  # those dictionaries are judged on new pictures, too
        beside = f"held out: {figure(known, 3)} · {beside}"
    return Figure("FVU", figure(report.fvu, 3), beside, definition)


def _of_training(store: LatentStore) -> str:
    """What a low figure may owe to training on the same pictures."""
    known = store.manifest.sae.fvu_held_out
    if known is not None:
        return f" Of embeddings that its training held out it leaves {figure(known, 3)}."
    return " Pictures that the SAE was trained on leave less than new ones; whether these were is not known."


def _good_names(store: LatentStore, named: float) -> Figure:
    url, directions = links.latents_url({"names": "good", "sort": "score"}), controls_of(store, "covariance")
    beside, baseline = "by chance: about 0", "0, for names that say nothing (name score 0.5)."
    if directions is not None and len(directions):
        share = percent(float(directions["name_good"].mean()))
        beside = f"random directions: {share}"
        baseline = (
            f"{share} of {CONTROLS['covariance']} that are as frequent; 0 for names that say nothing (name score 0.5)."
        )
    return Figure("with a good name", percent(named), beside, DEFINITIONS["good_names"].format(baseline=baseline), url)
