"""Which latents to show first: by a rule that is stated beside them, not by taste."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from explorer.views.names import borne_names
from explorer.wording import percent

# Rarer ones have too few pictures for a strip to mean much; more frequent ones tend to say "a picture".
MIN_PICTURES = 12
MAX_DENSITY = 0.05


@dataclass(frozen=True)
class Rule:
    """The column that decides, and the sentence that says so."""

    column: str
    sentence: str


_RULES = (
    Rule("name_score", "good names, first those that labels or captions bear out, the best score first,"),
    Rule("label_purity", "purest label"),
    Rule("max_activation", "strongest activation"),
)


def rule_for(latents: pd.DataFrame) -> Rule:
    """The first rule that this store has figures for."""
    return next((rule for rule in _RULES if _figure(latents, rule).notna().any()), _RULES[-1])


def striking(latents: pd.DataFrame, n: int) -> list[int]:
    """Latents of medium density (all alive ones where none is), best first, no name and no top label twice."""
    rule, candidates = rule_for(latents), _candidates(latents)
    keys = {"borne": _borne(candidates, rule), "figure": _figure(candidates, rule), "next": candidates[rule.column]}
    ranked = candidates.assign(**keys).sort_values([*keys, "max_activation"], ascending=False, na_position="last")
    return [int(latent) for latent in _different(ranked).index[:n]]


def striking_order(latents: pd.DataFrame) -> np.ndarray:
    """All latents: those of medium density by the rule, then the others by the same figure, the dead last."""
    rule = rule_for(latents)
    columns = latents["max_activation"], latents[rule.column], _figure(latents, rule), _borne(latents, rule)
    figures = [-column.to_numpy() for column in columns]
    groups = [~_is_medium(latents).to_numpy(), latents["n_active"].to_numpy() == 0]
    return np.lexsort([*figures, *groups])  # the last key decides first; NaN goes last


def rule_sentence(latents: pd.DataFrame) -> str:
    """How they were chosen, for the page."""
    who = "all latents that are not dead"
    if _is_medium(latents).any():
        who = f"latents active in {MIN_PICTURES} pictures or more, and in at most {percent(MAX_DENSITY)} of the store"
    return f"{rule_for(latents).sentence} among {who}"


def _figure(latents: pd.DataFrame, rule: Rule) -> pd.Series[float]:
    """The column; of names only those that are good, since a high score of a few pictures promises too much."""
    column = latents[rule.column]
    return column.where(latents["name_good"]) if rule.column == "name_score" else column


def _borne(latents: pd.DataFrame, rule: Rule) -> pd.Series[float]:
    """Names that labels or captions bear out come first; 0 for all where it is not known, or is not about names."""
    borne = borne_names(latents).fillna(0.0)
    return borne if rule.column == "name_score" else borne * 0


def _candidates(latents: pd.DataFrame) -> pd.DataFrame:
    medium = _is_medium(latents)
    return latents[medium if medium.any() else latents["n_active"] > 0]


def _is_medium(latents: pd.DataFrame) -> pd.Series[bool]:
    return (latents["n_active"] >= MIN_PICTURES) & (latents["density"] <= MAX_DENSITY)


def _different(ranked: pd.DataFrame) -> pd.DataFrame:
    for column in ("top_label", "name"):
        ranked = ranked[ranked[column].isna() | ~ranked[column].duplicated()]
    return ranked
