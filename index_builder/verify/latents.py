"""The per-latent arrays, counted again from galleries, codes and labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from index_builder.analysis.coactivity import CoactivityCounter, most_coactive
from index_builder.analysis.profiles import galleries, histogram, label_deciles
from sae_core.sae.checkpoint import load_sae
from sae_core.store import layout
from sae_core.store.manifest import Manifest

_CHECKED = 64  # latents, spread over all, where counting again takes as long as building


def profile_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Histograms and labels by decile are those of the galleries."""
    labels = np.load(root / layout.IMAGE_LABELS, "r")
    histograms, codes, counts = (
        np.load(root / name, "r") for name in (layout.HISTOGRAMS, layout.LABEL_CODES, layout.LABEL_COUNTS)
    )
    wrong = {layout.HISTOGRAMS: 0, layout.LABEL_CODES: 0}
    for latent, (ids, activations) in enumerate(galleries(root)):
        wanted = histogram(activations) if len(ids) else np.zeros(layout.N_BINS)
        wrong[layout.HISTOGRAMS] += not np.array_equal(histograms[latent], wanted)
        top, by_decile = label_deciles(labels[ids])
        n = len(top)
        same = np.array_equal(codes[latent, :n], top) and np.array_equal(counts[latent, :n], by_decile)
        wrong[layout.LABEL_CODES] += not (same and (codes[latent, n:] == -1).all() and not counts[latent, n:].any())
    for name, n in wrong.items():
        if n:
            yield f"{name} is not what {n:,} galleries say"


def coactivity_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Latents active together, counted again for some of them."""
    found, counts = np.load(root / layout.COACTIVE, "r"), np.load(root / layout.COACTIVE_COUNTS, "r")
    n_active = np.diff(np.load(root / layout.POSTING_OFFSETS))
    some = set(np.linspace(0, manifest.n_latents - 1, _CHECKED).astype(int).tolist())
    wrong, count = 0, CoactivityCounter(root, manifest.n_latents)
    for latent, (ids, _) in enumerate(galleries(root)):
        if latent in some:
            n_both = count(latent, ids)
            best = most_coactive(n_both, int(n_active[latent]), n_active, manifest.n_images)
            there = found[latent] >= 0
            wrong += not (
                np.array_equal(found[latent][there], best) and np.array_equal(counts[latent][there], n_both[best])
            )
    if wrong:
        yield f"{layout.COACTIVE} is not what the codes say for {wrong} of {len(some)} latents"


def near_miss_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Near misses are not active, highest first, and their pre-activations are the SAE's."""
    ids, values = np.load(root / layout.NEAR_MISSES, "r"), np.load(root / layout.NEAR_MISS_PRE_ACTIVATIONS, "r")
    there = ids >= 0
    if ids.max(initial=-1) >= manifest.n_images or (np.diff(there.astype(int), axis=1) > 0).any():
        yield f"{layout.NEAR_MISSES} names images outside 0 … {manifest.n_images - 1}, or has gaps"
        return
    latents, images = np.nonzero(there)[0], ids[there]
    kept, strength = np.load(root / layout.CODE_INDICES, "r"), np.load(root / layout.CODE_ACTIVATIONS, "r")
    if ((kept[images] == latents[:, None]) & (strength[images] > 0)).any():
        yield f"{layout.NEAR_MISSES} names an image in which the latent is active"
    steps = np.diff(values, axis=1)[there[:, 1:]]
    if (steps > 0).any() or not (values[there] > 0).all():
        yield f"{layout.NEAR_MISS_PRE_ACTIVATIONS} is not above 0 and highest first"
    sae, embeddings = load_sae(root / "sae"), np.load(root / layout.EMBEDDINGS, "r")
    some = np.linspace(0, max(len(images) - 1, 0), min(len(images), 4_096)).astype(int)
    weights, bias = sae.W_enc.numpy(), sae.b_enc.numpy()
    again = (embeddings[images[some]] * weights[:, latents[some]].T).sum(1) + bias[latents[some]]
    if not np.allclose(again, values[there][some], rtol=1e-3, atol=1e-4):
        yield f"{layout.NEAR_MISS_PRE_ACTIVATIONS} is not what the SAE gives"


def effect_defects(root: Path, manifest: Manifest) -> Iterator[str]:
    """Effects name labels that exist."""
    n_labels = pq.ParquetFile(root / layout.LABELS).metadata.num_rows
    labels, z = np.load(root / layout.EFFECT_LABELS, "r"), np.load(root / layout.EFFECT_Z, "r")
    if labels.max(initial=-1) >= n_labels or not np.isfinite(z).all():
        yield f"{layout.EFFECT_LABELS} names labels outside 0 … {n_labels - 1}, or z is not finite"
