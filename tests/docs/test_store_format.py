"""docs/store-format.md is normative: its tables are read here and compared with the code and with a real store."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sae_core import LatentStore
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.references import REPOSITORY_ROOT
from sae_core.store import layout
from sae_core.store.manifest import EncoderInfo, Manifest, ReportCard, SAEInfo, SourceInfo
from tests.support.stores import make_store

PAGE = (REPOSITORY_ROOT / "docs" / "store-format.md").read_text()


def rows(section: str) -> list[list[str]]:
    """Cells of the first table after a line that contains `section`."""
    lines = PAGE[PAGE.index(section) :].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|--"))
    table = lines[start + 1 :]
    end = next((number for number, line in enumerate(table) if not line.startswith("|")), len(table))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[:end]]


def names(section: str) -> list[str]:
    return [row[0].strip("`") for row in rows(section)]


def test_the_page_names_every_file_and_no_other() -> None:
    assert set(names("## Files")) == {layout.MANIFEST, *layout.REQUIRED, *layout.OPTIONAL}


@pytest.mark.parametrize(
    ("section", "schema"),
    [
        ("`images.arrow`, memory", layout.IMAGE_SCHEMA),
        ("`labels.parquet`:", layout.LABEL_SCHEMA),
        ("`rejects.parquet`:", layout.REJECT_SCHEMA),
        ("`latents.parquet`:", layout.LATENT_SCHEMA),
        ("`latents/controls.parquet`:", layout.CONTROL_SCHEMA),
    ],
)
def test_columns_have_the_types_that_the_page_says(section: str, schema: object) -> None:
    written = {row[0].strip("`"): row[1] for row in rows(section)}
    assert written == {field.name: f"{field.type}{'?' if field.nullable else ''}" for field in schema}  # type: ignore[attr-defined]


def test_arrays_have_the_types_and_shapes_that_the_page_says(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", 20)
    manifest = Manifest.model_validate_json((store / "manifest.json").read_bytes())
    sizes = {"n_images": 20, "k": manifest.k, "n_latents": manifest.n_latents, "d_embed": manifest.d_embed}
    sizes["n_labels"] = len(pq.read_table(store / layout.LABELS))
    sizes["offsets[-1]"] = int(np.load(store / layout.POSTING_OFFSETS)[-1])
    described = {row[0].strip("`"): re.search(r"`(u?int\d+|float\d+) \[([^`]*)\]`", row[1]) for row in rows("## Files")}
    arrays = {name: found for name, found in described.items() if name.endswith(".npy")}
    assert arrays.keys() == layout.DTYPES.keys()
    for name, found in arrays.items():
        assert found, name
        array = np.load(store / name)
        parts = [part.removesuffix(" + 1") for part in found[2].split(", ")]
        more = [part.endswith(" + 1") for part in found[2].split(", ")]
        shape = tuple(
            (int(part) if part.isdigit() else sizes[part]) + one for part, one in zip(parts, more, strict=True)
        )
        assert (str(array.dtype), array.shape) == (found[1], shape), name


def test_the_manifest_has_the_fields_that_the_page_says() -> None:
    assert names("## Manifest") == list(Manifest.model_fields)
    said = {row[0].strip("`"): set(re.findall(r"`([a-z_0-9]+)`", row[1])) for row in rows("## Manifest")}
    for field, part in (("source", SourceInfo), ("encoder", EncoderInfo), ("sae", SAEInfo), ("report", ReportCard)):
        assert set(part.model_fields) <= said[field], field
    assert all(f"`{name}`" in PAGE for name in Preprocessing.model_fields)


def test_every_word_for_a_reject_is_on_the_page() -> None:
    written = next(row[2] for row in rows("`rejects.parquet`:") if row[0] == "`error`")
    words = set(re.findall(r"`([a-z-]+)`", written))
    sources = [REPOSITORY_ROOT / "sae_core" / "pictures.py", *(REPOSITORY_ROOT / "index_builder").rglob("*.py")]
    code = "\n".join(path.read_text() for path in sources)
    used = set(re.findall(r'PictureError\(\s*"([a-z-]+)"', code)) | set(re.findall(r'"encode", "([a-z-]+)"', code))
    assert words == used


def test_numbers_that_the_page_says() -> None:
    from index_builder.analysis import (
        coactivity,
        controls,
        indexes,
        name_halves,
        naming,
        random_dictionary,
        random_directions,
        vocabulary,
    )
    from sae_core.naming import GOOD, MIN_GOOD

    assert f"has {layout.ROWS_PER_BATCH:,} rows" in PAGE
    reach = " and ".join(map(str, GOOD["text"])), " and ".join(map(str, GOOD["clip"]))
    assert f"reach {reach[0]} (`text`), {reach[1]} (`clip`)" in PAGE
    assert f"first half is at least {naming._CARRIED}" in PAGE
    assert f"at most {name_halves._SAMPLE} active" in PAGE and f"against {name_halves._REFERENCE:,} drawn" in PAGE
    assert f"on at least {MIN_GOOD} held-out images" in PAGE
    assert f"At least {coactivity._MIN_BOTH} shared images" in PAGE and coactivity._ALPHA == 0.05
    assert naming._MIN_HELD_OUT == 3 and "null below 3 held-out\nimages" in PAGE
    assert vocabulary._MIN_IMAGES == 3 and "at least three images share" in PAGE
    assert f"Of terms within {naming._NO_WORSE} of the best" in PAGE
    assert f"the data set's own by {naming._CLEARLY}" in PAGE
    assert f"Up to {indexes._FLAT_UP_TO:,} images" in PAGE and f"beyond {indexes._SCANNED_UP_TO:,} in" in PAGE
    assert f"mean embedding of {random_directions._N_COMBINED:,} images" in PAGE and controls._HALF == 0.5
    assert f"those of {controls._N} latents at most" in PAGE and f"on {random_dictionary._N_IMAGES:,}" in PAGE
    assert f"more than {controls._N_ENTRIES:,} images together" in PAGE
    assert f"the {layout.N_CONTROL_TOP} first images of its gallery" in PAGE
    assert (layout.N_RAISED, layout.N_LOWERED) == (6, 4) and "raises most (6," in PAGE and "lowers most (4," in PAGE


def splitmix64(state: int) -> int:
    """The next number of the generator, in Python's own integers."""
    z = (state + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def test_deciles_and_halves_are_as_the_page_says(tmp_path: Path) -> None:
    from sae_core.halves import half_of

    assert half_of(np.arange(50)).tolist() == [splitmix64(i * 0x9E3779B97F4A7C15) >> 63 for i in range(50)]
    store = LatentStore.open(make_store(tmp_path / "store", 60))
    for latent in range(store.n_latents):
        m = store.gallery_size(latent)
        for i in range(1, 11):
            assert store.decile_range(latent, i) == (m * (10 - i) // 10, m * (11 - i) // 10)


def test_the_published_schema_is_the_one_that_manifests_are_validated_against() -> None:
    """`make schema` writes it anew."""
    published = json.loads((REPOSITORY_ROOT / "docs" / "manifest.schema.json").read_text())
    assert published == Manifest.model_json_schema()
