"""The latents held against controls: random directions, and their own directions alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from explorer.views.control_rows import Against, Row, Verdict, control_rows, density_groups
from explorer.views.names import LatentName, borne_names, name_in
from explorer.views.striking import MIN_PICTURES
from explorer.views.tiles import Tile, tiles
from explorer.views.variety import Variety, variety
from explorer.wording import CONTROLS, count, figure, plural
from sae_core import LatentStore
from sae_core.store.layout import ANALYSIS, CONTROL_KINDS

N_EXAMPLES = 4  # of each random kind
_N_TILES = 8
_WORDS: dict[Verdict, str] = {"higher": "higher", "lower": "lower", "unclear": "not clearly different"}


@dataclass(frozen=True)
class Example:
    """One random direction."""

    name: LatentName
    figures: str  # pictures, MS, name score
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Controls:
    """The comparison."""

    sentence: str
    n: int  # latents that are compared
    kinds: tuple[str, ...]
    groups: tuple[str, ...]  # of equally many pairs, by pictures: "3 to 28"
    rows: tuple[Row, ...]
    variety: tuple[Variety, ...]
    examples: dict[str, tuple[Example, ...]]  # by kind
    rule: str  # how the examples were chosen
    current: bool  # made by this version's analysis, as far as the store says


def controls_of(store: LatentStore, kind: str) -> pd.DataFrame | None:
    """Those of one kind; None where the store has none."""
    every = store.controls
    return None if every is None else every[every["kind"] == kind].reset_index(drop=True)


def build_controls(store: LatentStore) -> Controls | None:
    """None where the store was built without controls, or has too few latents to compare."""
    tables = {kind: table for kind in CONTROL_KINDS if (table := controls_of(store, kind)) is not None}
    if not tables:
        return None
    sizes = tables["covariance"]["n_active"].to_numpy()
    groups = density_groups(sizes)
    rows = control_rows(
        _with_borne(store.latents), {kind: _with_borne(table) for kind, table in tables.items()}, groups
    )
    if not rows:
        return None
    return Controls(
        sentence=f"{_sentence(rows)} {_reconstruction(store)}".strip(),
        n=len(sizes),
        kinds=tuple(tables),
        groups=tuple(f"{sizes[group].min():,} to {sizes[group].max():,}" for group in groups),
        rows=rows,
        variety=variety(store.latents, tables),
        examples={kind: _examples(store, tables[kind]) for kind in ("covariance", "isotropic")},
        rule=f"Drawn from those of {MIN_PICTURES} pictures or more; good names first, the best score first.",
        current=store.manifest.analysis >= ANALYSIS,
    )


def _with_borne(figures: pd.DataFrame) -> pd.DataFrame:
    return figures.assign(name_borne=borne_names(figures))


def _sentence(rows: Sequence[Row]) -> str:
    """How the latents stand beside each random kind, and by density where that matters."""
    anywhere, varied = ([row.against[kind] for row in rows] for kind in ("isotropic", "covariance"))
    said = (
        f"Of {plural(len(rows), 'figure')}: beside {CONTROLS['isotropic']}, the latents are {_counted(anywhere)}; "
        f"beside {CONTROLS['covariance']}, {_counted(varied)}."
    )
    by_group = [[row.by_density[group] for row in rows] for group in range(len(rows[0].by_density))]
    counted = [_counted([one for one in group if one is not None]) for group in by_group]
    if len(set(counted)) < 2:
        return said
    return f"{said} By thirds of density, the rarest latents first, they are {'; '.join(counted)}."


def _counted(found: Sequence[Against]) -> str:
    """`higher in 4, lower in 1`."""
    verdicts = [one.verdict for one in found]
    if verdicts.count("unclear") == len(verdicts):
        return "clearly different in none"  # `not clearly different in all` may be in some
    counts = ((words, verdicts.count(verdict)) for verdict, words in _WORDS.items())
    return ", ".join(f"{words} in {'all' if n == len(found) else n}" for words, n in counts if n)


def _reconstruction(store: LatentStore) -> str:
    """What the SAE is trained for, which the figures say nothing of."""
    report = store.manifest.report
    if not report.untrained or not np.isfinite(report.fvu):
        return ""
    left = ", one of ".join(
        f"{count(store.n_latents)} {name} {figure(fvu, 3)}" for name, fvu in report.untrained.items()
    )
    return (
        f"It reconstructs to an FVU of {figure(report.fvu, 3)}{_held_out(store)}; a dictionary of {left}, on pictures "
        "that are not in it."
    )


def _held_out(store: LatentStore) -> str:
    """An SAE leaves less of what it was trained on, and a store does not know whether that are its pictures."""
    known = store.manifest.sae.fvu_held_out
    if known is None:
        return ", perhaps on pictures that it was trained on"
    return f" ({figure(known, 3)} of embeddings that its training held out)"


def _examples(store: LatentStore, table: pd.DataFrame) -> tuple[Example, ...]:
    enough = table[table["n_active"] >= MIN_PICTURES]
    drawn = enough.sample(min(N_EXAMPLES, len(enough)), random_state=0)
    ranked = drawn.sort_values(["name_good", "name_score"], ascending=False, kind="stable")
    return tuple(_example(store, row) for _, row in ranked.iterrows())


def _example(store: LatentStore, row: Any) -> Example:
    shown = [int(image_id) for image_id in row["top_images"][:_N_TILES]]
    name, like = name_in(row), float(row["monosemanticity"])
    said = [plural(int(row["n_active"]), "picture"), f"MS {figure(like)}" if np.isfinite(like) else "", name.auc]
    return Example(name, " · ".join(part for part in said if part), tiles(store, shown))
