"""Opening the files of a store without reading them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow.parquet as pq

from sae_core.store import checks, layout
from sae_core.store.manifest import Manifest
from sae_core.store.records import LabelColumn


class StoreFiles:
    """Arrays and indexes of one store, memory-mapped."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root, self.manifest = root, manifest

    def array(self, name: str) -> np.ndarray:
        """A read-only memory map."""
        array: np.ndarray = np.load(self.root / name, mmap_mode="r", allow_pickle=False)
        return array

    def index(self, name: str, n: int) -> Any:
        """A FAISS index over n vectors, mapped where its kind allows. Raises StoreError where it is none of that."""
        try:
            index = faiss.read_index(str(self.root / name), faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY)
        except RuntimeError as error:
            raise checks.broken(self.root, [f"{name} is no FAISS index"]) from error
        if (index.ntotal, index.d) != (n, self.manifest.d_embed):
            said = f"{name} holds {index.ntotal} x {index.d}, not {n} x {self.manifest.d_embed}"
            raise checks.broken(self.root, [said])
        return index

    def labels(self) -> LabelColumn:
        """Labels of all images as codes; their names are read, a row a label."""
        table = pq.read_table(self.root / layout.LABELS)
        return LabelColumn(
            self.array(layout.IMAGE_LABELS),
            table["label"].to_pylist(),
            table["title"].to_pylist(),
            table["n_images"].to_numpy(),
        )
