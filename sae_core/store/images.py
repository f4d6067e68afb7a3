"""Rows of `images.arrow` by image id: the file is memory-mapped, and a row costs what the row holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

from sae_core.store import layout


class ImageTable:
    """Random access; nothing is decoded but the rows asked for. Raises ValueError for a file of another form."""

    def __init__(self, path: Path) -> None:
        try:
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
            self._batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
        except pa.ArrowInvalid as error:
            raise ValueError(f"{path.name} is no Arrow file: {error}") from error
        if not reader.schema.equals(layout.IMAGE_SCHEMA):
            raise ValueError(f"{path.name} has other columns than the format's")
        if any(batch.num_rows != layout.ROWS_PER_BATCH for batch in self._batches[:-1]):
            raise ValueError(f"{path.name} is not in batches of {layout.ROWS_PER_BATCH:,} rows")

    @property
    def n_rows(self) -> int:
        """Number of images."""
        return sum(batch.num_rows for batch in self._batches)

    @property
    def keys(self) -> pa.Array:
        """The source keys of all images."""
        return pa.chunked_array([batch.column("source_key") for batch in self._batches], pa.string()).combine_chunks()

    @property
    def has_captions(self) -> bool:
        """Whether any image has one; no caption is read for it."""
        return any(column.null_count < len(column) for column in (batch.column("caption") for batch in self._batches))

    def say(self, word: str, among: Bool[np.ndarray, "n_rows"]) -> Bool[np.ndarray, "n_rows"]:
        """Which captions and source keys of those rows have a word that begins so: 0.4 s a million rows.

        Rows that are not `among` them are not read, and said to have none.
        """
        found = np.zeros(len(among), dtype=bool)
        for number, batch in enumerate(self._batches):
            rows = np.flatnonzero(among[number * layout.ROWS_PER_BATCH :][: len(batch)])
            for name in ("caption", "source_key"):
                column = batch.column(name)
                texts = column if len(rows) == len(batch) else column.take(pa.array(rows))
                found[number * layout.ROWS_PER_BATCH + rows] |= says(texts, word)
        return found

    def rows(self, image_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Rows as dictionaries, in the order asked for."""
        return [self._row(*divmod(image_id, layout.ROWS_PER_BATCH)) for image_id in image_ids]

    def ids_of_keys(self, keys: Iterable[str]) -> dict[str, list[int]]:
        """Image ids by source key, of those keys that there are. One pass over a column: about a second a million."""
        wanted, found = pa.array(sorted(keys), pa.string()), dict[str, list[int]]()
        for number, batch in enumerate(self._batches):
            column = batch.column("source_key")
            for row in np.flatnonzero(pc.is_in(column, value_set=wanted).to_numpy(zero_copy_only=False)).tolist():
                found.setdefault(column[row].as_py(), []).append(number * layout.ROWS_PER_BATCH + row)
        return found

    def _row(self, batch: int, row: int) -> dict[str, Any]:
        columns = self._batches[batch].columns
        return {name: column[row].as_py() for name, column in zip(layout.IMAGE_SCHEMA.names, columns, strict=True)}


def says(texts: pa.Array, word: str) -> Bool[np.ndarray, "m"]:
    """Which texts have a word that begins so, whatever its case: "cat" is in "black_cats", not in "education".

    Scripts without letter case are written without spaces, too: of these a word may stand anywhere.
    """
    apart = word[0].isdigit() or word[0].lower() != word[0].upper()
    pattern = (r"(?:^|[^\p{L}\p{N}])" if apart else "") + re.escape(word)
    said = pc.fill_null(pc.match_substring_regex(texts, pattern, ignore_case=True), False)
    return np.asarray(said.to_numpy(zero_copy_only=False))
