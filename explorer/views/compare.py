"""Compare: two choices of pictures, their cosine latent by latent, what they share, how their spans lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.views.angles import Angles, build_angles
from explorer.views.chance import EmbedTexts
from explorer.views.meaningless import Meaningless, meaningless_texts
from explorer.views.overlap import Overlap, overlap_of
from explorer.views.parts import LatentCard, LatentRef, latent_card, latent_refs
from explorer.views.random_cosines import RandomCosines, random_cosines
from explorer.views.resolved import Resolved
from explorer.views.sides import Side, active_latents, build_side, span_latents
from sae_core import LatentStore
from sae_core.cosine_parts import CosineParts, MeanCode, activations_of, cosine_parts, mean_code

Where = Literal["both", "a", "b", "neither"]
N_BARS = 14
N_ROWS = 6  # latents listed as shared, or of one side only
_N_STRIP = 4


@dataclass(frozen=True)
class Part:
    """One latent's part of the cosine."""

    ref: LatentRef
    part: float
    mean_a: float  # mean activation over a's pictures
    mean_b: float
    where: Where  # where it is active; "neither": Top-K kept it, with activations that are not above 0


@dataclass(frozen=True)
class Row:
    """A latent of a list, with its pictures."""

    card: LatentCard
    part: Part


@dataclass(frozen=True)
class Comparison:
    """Two choices side by side."""

    a: Side
    b: Side
    cosine: float
    chance: RandomCosines  # of random pictures, as many on either side and on both
    meaningless: tuple[Meaningless, ...]  # for each side that words chose: other strings in their place
    bars: tuple[Part, ...]  # the largest parts, by size
    others: tuple[Part, ...]  # those after them, which the figure sums
    bias: float
    residual: float
    lists: dict[Where, tuple[Row, ...]]  # largest parts first, N_ROWS at most
    counts: dict[Where, int]
    overlap: Overlap
    angles: Angles | None  # None where a side has no active latent
    n_same: int  # pictures that are on both sides
    equal: bool  # both mean embeddings are one
    centred: bool = False  # embeddings are taken from the store's mean, and the bias with them

    @property
    def baseline(self) -> float:
        """The mean cosine of random pictures."""
        return self.chance.mean

    def side(self, letter: str) -> Side:
        """A or B."""
        return self.a if letter == "a" else self.b

    @property
    def rest(self) -> float:
        """The sum of the other latents' parts."""
        return sum(one.part for one in self.others)


def build_comparison(
    store: LatentStore,
    a: Resolved,
    b: Resolved,
    centred: bool | None = None,
    embed_texts: EmbedTexts | None = None,
) -> Comparison:
    """Everything that is said of two choices.

    Means of many pictures are alike through what all pictures share, which is in the bias: `centred` takes the store's
    mean from both embeddings and from the bias, so that the parts add up to the cosine of what is left. Where nothing
    is said of it, two pictures are compared as they are, and sets that way. `embed_texts` is for the control of words.
    """
    if centred is None:
        centred = max(len(a.embeddings), len(b.embeddings)) > 1
    common = store.mean_embedding.astype(np.float64) * centred
    codes = [mean_code(side.embeddings, side.indices, side.activations) for side in (a, b)]
    codes = [code._replace(embedding=_beyond(code.embedding, common)) for code in codes]
    parts = cosine_parts(codes[0], codes[1], store.decoder_rows, store.decoder_bias - common)
    ranked = _Ranked(store, parts, codes, [active_latents(side) for side in (a, b)])
    n_same = len(np.intersect1d(a.image_ids, b.image_ids))
    ordered = ranked.every()
    return Comparison(
        a=build_side(store, a),
        b=build_side(store, b),
        cosine=parts.cosine,
        chance=random_cosines(store, len(a.embeddings), len(b.embeddings), n_same, centred=centred),
        meaningless=meaningless_texts(store, (a, b), (codes[0].embedding, codes[1].embedding), common, embed_texts),
        bars=ordered[:N_BARS],
        others=ordered[N_BARS:],
        bias=parts.bias,
        residual=parts.residual,
        lists={where: ranked.rows(where) for where in ("both", "a", "b")},
        counts={where: int((ranked.where == where).sum()) for where in ("both", "a", "b")},
        overlap=overlap_of(store, a, b),
        angles=build_angles(store, span_latents(a), span_latents(b)),
        n_same=n_same,
        equal=bool(np.allclose(codes[0].embedding, codes[1].embedding, atol=1e-6)),
        centred=centred,
    )


def _beyond(embedding: np.ndarray, common: np.ndarray) -> np.ndarray:
    """What an embedding has beyond the common part; nothing where only rounding is left, as of the whole store."""
    rest = embedding - common
    return rest if np.linalg.norm(rest) > 1e-6 else np.zeros_like(rest)


class _Ranked:
    """The parts of a cosine, largest first, and where their latents are active."""

    def __init__(self, store: LatentStore, parts: CosineParts, codes: list[MeanCode], active: list[np.ndarray]) -> None:
        self.store, self.parts = store, parts
        self.order = np.lexsort((parts.latents, -np.abs(parts.latent_parts)))
        self._means = [activations_of(code, parts.latents) for code in codes]
        in_a, in_b = (np.isin(parts.latents, latents) for latents in active)
        self.where = np.select([in_a & in_b, in_a, in_b], ["both", "a", "b"], "neither")

    def every(self) -> tuple[Part, ...]:
        """All parts, largest first."""
        refs = latent_refs(self.store, self.parts.latents[self.order].tolist())
        return tuple(self.part(at, ref) for at, ref in zip(self.order, refs, strict=True))

    def part(self, at: int, ref: LatentRef) -> Part:
        """The part at a place of `parts`."""
        return Part(
            ref=ref,
            part=float(self.parts.latent_parts[at]),
            mean_a=float(self._means[0][at]),
            mean_b=float(self._means[1][at]),
            where=str(self.where[at]),  # type: ignore[arg-type]
        )

    def rows(self, where: Where) -> tuple[Row, ...]:
        """The largest parts of one kind, with pictures."""
        found = self.order[self.where[self.order] == where][:N_ROWS].tolist()
        cards = (latent_card(self.store, int(self.parts.latents[at]), _N_STRIP) for at in found)
        return tuple(Row(card, self.part(at, card.ref)) for at, card in zip(found, cards, strict=True))
