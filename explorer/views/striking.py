"""Which latents to show first: by a rule that is stated beside them, not by taste."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

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
    Rule("name_score", "best name score"),
    Rule("label_purity", "purest label"),
    Rule("max_activation", "strongest activation"),
)


def rule_for(latents: pd.DataFrame) -> Rule:
    """The first rule that this store has figures for."""
    return next((rule for rule in _RULES if latents[rule.column].notna().any()), _RULES[-1])


def striking(latents: pd.DataFrame, n: int) -> list[int]:
    """Latents of medium density (all alive ones where none is), best first, no name and no top label twice."""
    column = rule_for(latents).column
    ranked = _candidates(latents).sort_values([column, "max_activation"], ascending=False, na_position="last")
    return [int(latent) for latent in _different(ranked).index[:n]]


def striking_order(latents: pd.DataFrame) -> np.ndarray:
    """All latents: those of medium density by the rule, then the others by the same figure, the dead last."""
    figures = [-latents["max_activation"].to_numpy(), -latents[rule_for(latents).column].to_numpy()]
    groups = [~_is_medium(latents).to_numpy(), latents["n_active"].to_numpy() == 0]
    return np.lexsort([*figures, *groups])  # the last key decides first; NaN goes last


def rule_sentence(latents: pd.DataFrame) -> str:
    """How they were chosen, for the page."""
    who = "all latents that are not dead"
    if _is_medium(latents).any():
        who = f"latents active in {MIN_PICTURES} pictures or more, and in at most {percent(MAX_DENSITY)} of the store"
    return f"{rule_for(latents).sentence} among {who}"


def _candidates(latents: pd.DataFrame) -> pd.DataFrame:
    medium = _is_medium(latents)
    return latents[medium if medium.any() else latents["n_active"] > 0]


def _is_medium(latents: pd.DataFrame) -> pd.Series[bool]:
    return (latents["n_active"] >= MIN_PICTURES) & (latents["density"] <= MAX_DENSITY)


def _different(ranked: pd.DataFrame) -> pd.DataFrame:
    for column in ("top_label", "name"):
        ranked = ranked[ranked[column].isna() | ~ranked[column].duplicated()]
    return ranked
