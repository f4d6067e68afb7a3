"""Cells of the store's tables, where something may be missing."""

from __future__ import annotations

from typing import Any

import pandas as pd


def text_or_none(value: object) -> str | None:
    """A cell of a text column: pandas writes a missing one as None, NaN or NA."""
    return value if isinstance(value, str) and value else None


def number_or_none(value: Any) -> float | None:
    """A cell of a number column."""
    return None if pd.isna(value) else float(value)
