"""Texts from files and paths as a manifest and Parquet can hold them."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from sae_core.keys import as_text

_MAX_TEXT = 10_000  # characters of a label, caption or message


def decoded(text: bytes) -> str:
    """Text of a file, without the mark that some editors begin it with; UTF-16, as Windows writes it, by its mark."""
    marked = text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return text.decode("utf-16" if marked else "utf-8-sig", "replace")


def clean_name(path: Path) -> str:
    """The last part of a path as a manifest can hold it: bytes that are no UTF-8 are spelled out."""
    return clean(os.fsencode(path.name).decode("utf-8", "backslashreplace")) or "/"


def clean(text: object) -> str | None:
    """Text as Parquet can hold it; None for nothing."""
    said = as_text(str(text)[:_MAX_TEXT]) if text is not None else ""
    return said.strip() or None
