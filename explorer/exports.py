"""Latents with all their figures as CSV and JSON, row by row: 65,536 latents are never one string."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from explorer import notes
from explorer.tables import csv_text, safe_cell
from sae_core import LatentStore

_CHUNK = 1024  # rows made at a time
_PIECE = 65_536  # characters sent at a time: every piece is a message of its own
_OURS = ("latent", "name", "name_from_a_person", "note", "automatic_name")  # then the store's own columns

Row = dict[str, Any]


def rows(store: LatentStore, latents: Sequence[int] | None = None) -> Iterator[Row]:
    """The latents asked for, in that order, or all; hidden ones are left out.

    `name` is the one that the pages show, None where there is none.
    """
    chosen = np.arange(store.n_latents) if latents is None else np.asarray(latents, dtype=np.int64)
    chosen = chosen[~np.isin(chosen, sorted(store.hidden.latents))]
    said = notes.texts(store)
    for start in range(0, len(chosen), _CHUNK):
        some = chosen[start : start + _CHUNK]
        chunk = store.latents.iloc[some]
        columns = [[_plain(value) for value in chunk[name].to_numpy()] for name in chunk.columns]
        for latent, *values in zip(some.tolist(), *columns, strict=True):
            yield _row(latent, dict(zip(map(str, chunk.columns), values, strict=True)), said.get(latent))


def control_lines(store: LatentStore) -> str:
    """A header, then a line a control: its kind, whose density it has, its figures, the SAE's fingerprint.

    Empty where there are none.
    """
    if store.controls is None:
        return ""
    table = store.controls.drop(columns="top_images").assign(sae=store.manifest.sae.fingerprint)
    columns = [[safe_cell(_plain(value)) for value in table[name].to_numpy()] for name in table.columns]
    return csv_text(tuple(map(str, table.columns)), zip(*columns, strict=True))


def csv_lines(store: LatentStore, latents: Sequence[int] | None = None) -> Iterator[str]:
    """A header, then a line a latent; the last column is the SAE's fingerprint, since numbers alone name no latents.

    Texts that a spreadsheet would run as a formula begin with an apostrophe.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*_OURS, *(name for name in store.latents.columns if name != "name"), "sae"])
    sae = store.manifest.sae.fingerprint
    for row in rows(store, latents):
        writer.writerow([*(safe_cell(value) for value in row.values()), sae])
        if buffer.tell() > _PIECE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def json_pieces(store: LatentStore, latents: Sequence[int] | None = None, title: str = "") -> Iterator[str]:
    """One object: whose latents these are, and a list of them."""
    manifest = store.manifest
    head = {
        "format": "sparsight-latents",
        "title": title or None,
        "store": {"name": manifest.name, "version": store.version, "n_images": store.n_images},
        "encoder": manifest.encoder.fingerprint,
        "sae": manifest.sae.fingerprint,
    }
    piece = json.dumps(head, ensure_ascii=False)[:-1] + ', "latents": ['
    for number, row in enumerate(rows(store, latents)):
        piece += (",\n" if number else "\n") + json.dumps(row, ensure_ascii=False, allow_nan=False)
        if len(piece) > _PIECE:
            yield piece
            piece = ""
    yield piece + "\n]}\n"


def _row(latent: int, figures: Row, note: notes.Note | None) -> Row:
    automatic = figures.pop("name", None)
    shown = automatic if figures.get("name_good", True) else None
    given = note.name if note else None
    ours = (latent, given or shown, given is not None, note.text if note else None, automatic)
    return {**dict(zip(_OURS, ours, strict=True)), **figures}


def _plain(value: Any) -> Any:
    """Python's own types; None for NaN. Floats of 32 bits keep the digits that they have."""
    if isinstance(value, np.float32):
        value = float(str(value))
    elif isinstance(value, np.generic):
        value = value.item()
    return None if value is None or (isinstance(value, float) and not math.isfinite(value)) else value
