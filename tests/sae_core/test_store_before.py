"""A store that was built before a column was there is read without it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from index_builder.publish import file_info
from index_builder.verify import defects_of
from sae_core import LatentStore
from sae_core.store import layout
from sae_core.store.checks import read_manifest


def test_a_store_without_the_later_columns_opens_and_is_sound(demo_store: Path, tmp_path: Path) -> None:
    root = tmp_path / "before"
    shutil.copytree(demo_store, root)
    for name in (layout.LATENTS, layout.CONTROLS):
        pq.write_table(pq.read_table(root / name).drop_columns(list(layout.LATER_COLUMNS)), root / name)
    manifest = read_manifest(root)
    files = manifest.files | {name: file_info(root / name) for name in (layout.LATENTS, layout.CONTROLS)}
    (root / layout.MANIFEST).write_text(manifest.model_copy(update={"files": files}).model_dump_json())
    assert defects_of(root) == []
    old, new = LatentStore.open(root), LatentStore.open(demo_store)
    assert old.latents["name_carried"].isna().all() and new.latents["name_carried"].notna().any()
    assert old.controls is not None and old.controls["name_carried_by_chance"].isna().all()
    pd.testing.assert_series_equal(old.latents["name"], new.latents["name"])
