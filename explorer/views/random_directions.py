"""The latents held against random directions: figure by figure, and what such directions look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from explorer.views.names import LatentName, name_in
from explorer.views.parts import Tile, tiles
from explorer.views.striking import MIN_PICTURES
from explorer.wording import POINTS, figure, percent, plural, signed, signed_points
from sae_core import LatentStore
from sae_core.statistics import mean_interval

Verdict = Literal["higher", "no clear difference", "lower"]
N_EXAMPLES = 8
_N_TILES = 8
_MIN_PAIRS = 8

_FIGURES: tuple[tuple[str, str, bool], ...] = (  # column, name, whether it is a share
    ("monosemanticity", "monosemanticity", False),
    ("split_half", "split-half stability", False),
    ("label_purity", "label purity", True),
    ("name_score", "name score of the best candidate", False),
    ("name_good", "with a good name", True),
)


@dataclass(frozen=True)
class Against:
    """One figure of latents and of random directions, each pair of one density."""

    name: str
    latents: str  # means
    random: str
    difference: str
    interval: str  # of the mean difference, 95 %
    verdict: Verdict
    n: int  # pairs in which both have the figure


@dataclass(frozen=True)
class Example:
    """One random direction."""

    name: LatentName
    figures: str  # pictures, MS, name score
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class RandomDirections:
    """The comparison."""

    sentence: str
    caution: str  # what it does not show
    what: str  # they are
    rows: tuple[Against, ...]
    examples: tuple[Example, ...]
    rule: str  # how the examples were chosen


def build_random_directions(store: LatentStore) -> RandomDirections | None:
    """None where the store has no such baseline, or too few latents to compare."""
    directions = store.random_directions
    if directions is None:
        return None
    matched = store.latents.loc[directions["like_latent"]].reset_index(drop=True)
    found = (_against(matched, directions, *one) for one in _FIGURES)
    rows = tuple(row for row in found if row is not None)
    if not rows:
        return None
    return RandomDirections(
        sentence=_sentence(rows, store),
        caution=_CAUTION if any(row.verdict != "higher" for row in rows) else "",
        what=_what(len(directions)),
        rows=rows,
        examples=_examples(store, directions),
        rule=f"Drawn from those of {MIN_PICTURES} pictures or more, the best name score first.",
    )


def _against(latents: pd.DataFrame, directions: pd.DataFrame, column: str, name: str, share: bool) -> Against | None:
    pairs = np.stack([latents[column].to_numpy(float), directions[column].to_numpy(float)], axis=1)
    pairs = pairs[np.isfinite(pairs).all(1)]
    if len(pairs) < _MIN_PAIRS:
        return None
    steps = pairs[:, 0] - pairs[:, 1]
    low, high = mean_interval(steps)
    write: Callable[[float], str] = percent if share else figure
    moved: Callable[[float], str] = signed_points if share else _signed
    return Against(
        name=name,
        latents=write(float(pairs[:, 0].mean())),
        random=write(float(pairs[:, 1].mean())),
        difference=moved(float(steps.mean())),
        interval=f"{moved(low).removesuffix(POINTS)} to {moved(high).removesuffix(POINTS)}",
        verdict="higher" if low > 0 else "lower" if high < 0 else "no clear difference",
        n=len(pairs),
    )


def _signed(value: float) -> str:
    return signed(value, 3)


def _sentence(rows: tuple[Against, ...], store: LatentStore) -> str:
    """What the comparison shows, and what it leaves to FVU."""
    above = [row.name for row in rows if row.verdict == "higher"]
    if len(above) == len(rows):
        said = "The latents are above random directions in every one of these figures."
    elif above:
        said = f"The latents are above random directions in {' and '.join(above)}, and not in the other figures."
    else:
        said = "The latents are above random directions in none of these figures: good as they look, the strongest "
        said += "pictures of any direction through these embeddings look as good."
    report = store.manifest.report
    if report.random_fvu is None or not np.isfinite(report.fvu):
        return said
    better = "What the SAE does better" if report.fvu < report.random_fvu else "Nor does it reconstruct better"
    return (
        f"{said} {better}: FVU {figure(report.fvu, 3)}, where a dictionary of "
        f"{plural(store.n_latents, 'random direction')} leaves {figure(report.random_fvu, 3)}."
    )


def _what(n: int) -> str:
    return (
        f"{plural(n, 'random direction')}: each a random sum of the pictures’ own deviations from the mean embedding, "
        "so that it follows what varies in them and knows nothing else; active in as many pictures as the latent it "
        "stands beside, those that lie farthest along it. Names and figures are made as those of the latents are."
    )


_CAUTION = (
    "Not being above them does not make latents meaningless: pictures far along any direction share several concepts "
    "at once, which makes them alike. It means that this figure is no evidence for the latents."
)


def _examples(store: LatentStore, directions: pd.DataFrame) -> tuple[Example, ...]:
    enough = directions[directions["n_active"] >= MIN_PICTURES]
    drawn = enough.sample(min(N_EXAMPLES, len(enough)), random_state=0)
    ranked = drawn.sort_values("name_score", ascending=False, kind="stable")
    return tuple(_example(store, row) for _, row in ranked.iterrows())


def _example(store: LatentStore, row: Any) -> Example:
    shown = [int(image_id) for image_id in row["top_images"][:_N_TILES]]
    name, like = name_in(row), float(row["monosemanticity"])
    said = [plural(int(row["n_active"]), "picture"), f"MS {figure(like)}" if np.isfinite(like) else "", name.auc]
    return Example(name, " · ".join(part for part in said if part), tiles(store, shown))
