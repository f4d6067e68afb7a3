"""Texts against one picture: CLIP scores with their baselines, and one score split over the sparse code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from explorer.views.inspection import Source, kept_code
from explorer.views.parts import LatentRef, latent_ref
from sae_core import LatentStore
from sae_core.accounting import ScoreParts, fit, reconstruct, score_parts, store_scores

EmbedText = Callable[[str], np.ndarray]  # raises SparsightError where the encoder cannot be loaded
N_STEPS = 10  # latents that have a bar of their own
N_SUGGESTED = 5
_LEVELS = ((3.0, "far above"), (1.0, "above"), (-1.0, "about as high as"), (float("-inf"), "below"))

_ALIKE = 1e-6  # spread of one picture's scores, or of equal ones': a difference of sums, so that 1e-8 is left of it

StepKind = Literal["latent", "others", "inactive", "bias", "residual"]


@dataclass(frozen=True)
class Score:
    """One text's score: a cosine, like all figures here."""

    text: str
    picture: float
    store_mean: float
    store_spread: float  # standard deviation over the store's pictures
    rebuilt: float  # of the reconstruction, made unit
    edited: float | None  # of the edited embedding, made unit; None: nothing is edited

    @property
    def z(self) -> float:
        """Standard deviations above the store's mean; nan where all pictures score alike."""
        return (self.picture - self.store_mean) / self.store_spread if self.store_spread > _ALIKE else float("nan")

    @property
    def level(self) -> str:
        """Where the score lies among those of the store's pictures; `beside` where these are all alike."""
        return next((word for least, word in _LEVELS if self.z >= least), "beside")


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall."""

    kind: StepKind
    value: float
    ref: LatentRef | None = None
    n: int = 1  # latents that it sums


@dataclass(frozen=True, eq=False)
class Scores:
    """All texts, and the chosen one taken apart."""

    scores: tuple[Score, ...]
    chosen: int
    steps: tuple[Step, ...]  # add up to the chosen score
    norm: float  # of the reconstruction
    parts: ScoreParts  # of all texts
    activations: Float[np.ndarray, "k"]
    refs: tuple[LatentRef, ...]  # of everything kept, strongest first

    @property
    def score(self) -> Score:
        """The chosen one."""
        return self.scores[self.chosen]

    @property
    def unexplained(self) -> bool:
        """Whether what no latent explains is larger, by size, than the largest latent's part."""
        sizes = {kind: [abs(step.value) for step in self.steps if step.kind == kind] for kind in ("latent", "residual")}
        return max(sizes["residual"], default=0.0) > max(sizes["latent"], default=0.0)


def build_scores(
    store: LatentStore,
    source: Source,
    texts: tuple[str, ...],
    chosen: int,
    embed_text: EmbedText,
    edited: Float[np.ndarray, "d_embed"] | None = None,
) -> Scores:
    """Raises SparsightError where the store's encoder cannot be had."""
    t = np.stack([embed_text(text) for text in texts]).astype(np.float64)
    code = kept_code(store, source)
    parts = score_parts(source.embedding, code, t, store.decoder_rows, store.decoder_bias)
    rebuilt = reconstruct(code, store.decoder_rows, store.decoder_bias)
    norm = fit(source.embedding, rebuilt, store.mean_embedding).norm
    means, spreads = store_scores(t, store.mean_embedding, store.moments.products.sum(0), store.n_images)
    after = None if edited is None else t @ edited
    chosen = chosen if 0 <= chosen < len(texts) else 0
    refs = tuple(latent_ref(store, int(latent)) for latent in code.latents)
    return Scores(
        scores=tuple(
            Score(
                text=text,
                picture=float(parts.scores[i]),
                store_mean=float(means[i]),
                store_spread=float(spreads[i]),
                rebuilt=float(parts.rebuilt[i]) / norm if norm > 0 else 0.0,
                edited=None if after is None else float(after[i]),
            )
            for i, text in enumerate(texts)
        ),
        chosen=chosen,
        steps=_steps(parts, chosen, code.activations, refs),
        norm=norm,
        parts=parts,
        activations=code.activations,
        refs=refs,
    )


def default_prompts(store: LatentStore, source: Source) -> tuple[str, ...]:
    """The picture's own label, as the builder asks CLIP about it; nothing where there is none."""
    if source.image_id is None:
        return ()
    title = store.image(source.image_id).title
    return (title.replace("_", " "),) if title else ()


def suggested_labels(store: LatentStore, source: Source) -> tuple[str, ...]:
    """Labels whose pictures resemble this one most: cosine with the mean embedding of each label's pictures."""
    sums, counts = store.moments.label_sums.sum(0), store.moments.label_counts.sum(0)
    norms = np.linalg.norm(sums, axis=1)
    cosines = np.where((counts > 0) & (norms > 0), sums @ source.embedding / np.maximum(norms, 1e-12), -np.inf)
    best = [int(code) for code in np.argsort(-cosines, kind="stable")[:N_SUGGESTED] if np.isfinite(cosines[code])]
    best = [code for code in best if code not in store.labels.hidden]
    return tuple(store.labels.titles[code].replace("_", " ") for code in best)


def _steps(parts: ScoreParts, chosen: int, activations: np.ndarray, refs: tuple[LatentRef, ...]) -> tuple[Step, ...]:
    """The bias, which all pictures share; active latents by the size of their part, then the rest of them as one.

    What Top-K kept although it is not active is told apart; the residual comes last.
    """
    values = parts.latent_parts[chosen]
    active = np.flatnonzero(activations > 0)
    order = active[np.argsort(-np.abs(values[active]), kind="stable")]
    n_alone = N_STEPS if len(order) > N_STEPS + 1 else len(order)  # one "other" may as well have its name
    steps = [Step("bias", float(parts.bias[chosen]))]
    steps += [Step("latent", float(values[at]), refs[at]) for at in order[:n_alone]]
    if len(order) > n_alone:
        steps.append(Step("others", float(values[order[n_alone:]].sum()), n=len(order) - n_alone))
    inactive = activations < 0
    if inactive.any():
        steps.append(Step("inactive", float(values[inactive].sum()), n=int(inactive.sum())))
    return (*steps, Step("residual", float(parts.residual[chosen])))
