"""Everything that is computed from codes and embeddings, once they are written: galleries, figures, names, indexes.

Reads `codes/`, `embeddings.npy`, `images.arrow`, `labels.*`, and streams over embeddings and codes. What is held of
each image while names are chosen are the terms of its label and caption, 4 bytes a term.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from index_builder.analysis.borne import Carriers
from index_builder.analysis.coactivity import write_coactivity
from index_builder.analysis.controls import write_controls
from index_builder.analysis.effects import label_texts, write_effects
from index_builder.analysis.embeddings import EmbeddingFacts, embedding_pass
from index_builder.analysis.figures import write_figures
from index_builder.analysis.indexes import write_image_index, write_latent_index
from index_builder.analysis.naming import Namer
from index_builder.analysis.positions import positions
from index_builder.analysis.postings import MEMORY, write_postings
from index_builder.analysis.profiles import galleries, write_profiles
from index_builder.analysis.random_dictionary import picture_fvu, random_fvu
from index_builder.analysis.vocabulary import vocabulary_of
from sae_core.sae.topk import TopKSAE
from sae_core.store import layout
from sae_core.store.manifest import DENSE, ReportCard

EncodeTexts = Callable[[Sequence[str]], np.ndarray]  # texts -> unit float32 [n, d_embed]
N_STEPS = 7  # that `analyse` tells of


def analyse(
    root: Path,
    sae: TopKSAE,
    encode_texts: EncodeTexts,
    step: Callable[[str], None] = lambda _: None,
    memory: int = MEMORY,
) -> ReportCard:
    """Writes `postings/`, `latents/`, `latents.parquet` and both indexes; returns the report card.

    `step` is told what comes next; galleries are sorted in `memory` bytes.
    """
    (root / "latents").mkdir(exist_ok=True)
    directions = np.ascontiguousarray(sae.directions().cpu().numpy())
    step("galleries")
    offsets = write_postings(root, sae.config.n_latents, memory)
    write_profiles(root)
    step("latents active together")
    write_coactivity(root, sae.config.n_latents)
    step("centroids and near misses")
    facts = embedding_pass(root, sae)
    np.save(root / layout.CENTROIDS, facts.galleries.centroids)
    step("names")
    namer = Namer(root, vocabulary_of(root, encode_texts))
    names = namer.names((ids for ids, _ in galleries(root)), facts.galleries.halves)
    step("controls")
    texts = label_texts(root, encode_texts)
    write_effects(root, directions, texts)
    carriers = Carriers(root)
    write_controls(root, namer, carriers, facts.mean, directions, texts)
    embeddings = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
    n_kept = max(round(facts.fidelity.l0), 1)
    dictionary = (embeddings, facts.mean, sae.config.n_latents, n_kept)
    untrained = {"random_fvu": random_fvu(*dictionary), "picture_fvu": picture_fvu(*dictionary)}
    step("map")
    places = positions(directions)
    write_figures(root, names, carriers, facts, places)
    step("indexes")
    write_latent_index(root, directions)
    recall = write_image_index(root)
    return _report_card(facts, np.diff(offsets) / facts.n_images, recall, untrained)


def _report_card(facts: EmbeddingFacts, density: np.ndarray, recall: float, untrained: dict[str, float]) -> ReportCard:
    return ReportCard(
        **vars(facts.fidelity),
        n_dead=int((density == 0).sum()),
        n_dense=int((density > DENSE).sum()),
        monosemanticity=_mean(facts.galleries.monosemanticity),
        monosemanticity_baseline=facts.image_similarity,
        split_half=_mean(facts.galleries.split_half),
        split_half_baseline=facts.galleries.split_half_baseline,
        nearest_recall=recall,
        **untrained,
    )


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
