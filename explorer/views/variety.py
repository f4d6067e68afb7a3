"""How many different things latents and controls find: purity and names count the same one again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from explorer.wording import percent


@dataclass(frozen=True)
class Variety:
    """One figure of a whole group, which has no mean."""

    name: str
    latents: str
    controls: dict[str, str]  # by kind


def variety(latents: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> tuple[Variety, ...]:
    """Of the latents that are matched and of each kind; what nobody has is left out."""
    like = next(iter(tables.values()))["like_latent"]
    groups = {"": latents.loc[like], **tables}
    found = []
    for name, said in (("different ones among good names", _names), ("label that most have", _label)):
        words = {kind: said(group) for kind, group in groups.items()}
        if any(word != "–" for word in words.values()):
            found.append(Variety(name, words.pop(""), words))
    return tuple(found)


def _names(group: pd.DataFrame) -> str:
    names = group.loc[group["name_good"].astype(bool), "name"]
    return f"{names.nunique():,} of {len(names):,}" if len(names) else "–"


def _label(group: pd.DataFrame) -> str:
    """The most frequent of the galleries' commonest labels."""
    counts = group["top_label"].value_counts()
    return f"{counts.index[0]}, {percent(counts.iloc[0] / counts.sum())}" if len(counts) else "–"
