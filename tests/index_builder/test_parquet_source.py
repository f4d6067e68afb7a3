"""Pictures in Parquet: as the hub keeps ImageNet, as others write it, whole and damaged, on a disk and on the hub."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from index_builder.sources import open_source
from sae_core import LatentStore, parquets
from sae_core.errors import ChangedError, PictureError, SourceError, SparsightError
from tests.support.pictures import encoded, picture
from tests.support.stores import make_store
from tests.support.writable_hub import Hub, Repository, serve

PNGS = [encoded(picture(number)[1]) for number in range(12)]
NAMES = ["tench, Tinca tinca", "goldfish, Carassius auratus"]


def imagenet(path: Path, rows: int = 12, group: int = 5, pngs: list[Any] = PNGS) -> Path:
    """`imagenet-1k` as the hub has it: a struct of bytes and path, a class label with its names in the metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": NAMES}}
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", image), ("label", pa.int64())], metadata)
    images = [{"bytes": data, "path": f"{number}.JPEG"} for number, data in enumerate(pngs[:rows])]
    labels = [number % 3 - 1 for number in range(rows)]  # -1: none, as in the test split
    pq.write_table(pa.table({"image": images, "label": labels}, schema), path, row_group_size=group)
    return path


def test_imagenets_rows(tmp_path: Path) -> None:
    imagenet(tmp_path / "imagenet" / "data" / "train-00000-of-00002.parquet")
    imagenet(tmp_path / "imagenet" / "data" / "train-00001-of-00002.parquet", rows=3)
    imagenet(tmp_path / "imagenet" / "data" / "test-00000-of-00001.parquet", rows=2)
    source = open_source(str(tmp_path / "imagenet"))
    assert (source.kind, source.name, len(source.keys)) == ("parquet", "imagenet", 17)
    assert list(source.keys[:3]) == [
        "test-00000-of-00001.parquet/0",
        "test-00000-of-00001.parquet/1",
        "train-00000-of-00002.parquet/0",
    ]
    assert source.keys[16] == "train-00001-of-00002.parquet/2"
    for position in (16, 2, 13, 7, 8):  # in no order, across groups and files
        row = int(source.keys[position].rpartition("/")[2])
        raw = source.read(position)
        assert (raw.data, raw.label) == (PNGS[row], [None, *NAMES][row % 3])
        assert raw.split == "train"
    assert source.read(0).split == "test"
    with pytest.raises(IndexError):
        source.keys[17]


def test_bytes_texts_and_splits_of_others(tmp_path: Path) -> None:
    columns = {
        "jpg": PNGS[:2],
        "txt": ["red \n", None],
        "cls": ["a", "b"],
        "split": ["val", None],
        "embedding": [b"", b""],
    }
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    source = open_source(str(tmp_path / "rows.parquet"))
    first, second = source.read(0), source.read(1)
    assert (first.data, first.caption, first.label, first.split) == (PNGS[0], "red", "a", "val")
    assert (second.caption, second.label, second.split) == (None, "b", None)


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        (pa.array(["cat", None, "dog"]).dictionary_encode(), ["cat", None, "dog"]),  # pandas' category
        (pa.array([3.0, float("nan"), 0.5]), ["3", None, None]),  # pandas' integers with gaps, and a measure
        (pa.array(["cat", None, "dog"], pa.string_view()), ["cat", None, "dog"]),
        (pa.array([True, False, None]), ["True", "False", None]),
        (pa.array([7, -1, None], pa.int16()), ["7", None, None]),
    ],
)
def test_labels_as_others_write_them(tmp_path: Path, labels: pa.Array, read: list[str | None]) -> None:
    captions = pa.array([["a striped thing", "stripes"], [None, "second"], []])
    table = pa.table({"Image": PNGS[:3], "mask": PNGS[3:6], "Label": labels, "captions": captions})
    pq.write_table(table, tmp_path / "rows.parquet")
    source = open_source(str(tmp_path / "rows.parquet"))
    found = [source.read(position) for position in range(3)]
    assert [raw.label for raw in found] == read
    assert [raw.caption for raw in found] == ["a striped thing", "second", None]
    assert [raw.data for raw in found] == PNGS[:3]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_pictures_in_columns_of_all_kinds_of_bytes(tmp_path: Path, kind: pa.DataType) -> None:
    images = pa.array(PNGS[:2], kind)
    for name, column in (("plain", images), ("struct", pa.StructArray.from_arrays([images], ["bytes"]))):
        pq.write_table(pa.table({"image": column}), tmp_path / f"{name}.parquet")
        assert open_source(str(tmp_path / f"{name}.parquet")).read(1).data == PNGS[1]


def test_a_row_without_bytes_is_rejected_and_others_are_read(tmp_path: Path) -> None:
    path = imagenet(tmp_path / "x.parquet", pngs=[PNGS[0], None, b"", PNGS[3], *PNGS[4:]])
    source = open_source(str(path))
    for position in (1, 2):
        with pytest.raises(PictureError, match="the row holds no picture"):
            source.read(position)
    assert source.read(3).data == PNGS[3]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"label": [1]}, "no one column of pictures"),
        ({"a": [b"x"], "b": [b"y"]}, "no one column of pictures"),
        (
            {"image": pa.array([b"xy"], pa.binary(2))},
            r"no one column of pictures .* it has image: fixed_size_binary\[2\]",
        ),
    ],
)
def test_files_without_pictures(tmp_path: Path, columns: dict[str, list[Any]], said: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    with pytest.raises(SourceError, match=said):
        open_source(str(tmp_path / "x.parquet"))


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 not a Parquet PAR1")
    with pytest.raises(SourceError, match=r"x\.parquet cannot be read as Parquet: "):
        open_source(str(tmp_path))
    imagenet(tmp_path / "x.parquet", rows=0)
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(str(tmp_path))


def test_a_file_that_changes_after_it_was_listed(tmp_path: Path) -> None:
    path = imagenet(tmp_path / "x.parquet")
    source = open_source(str(path))
    before = source.state_sha256()
    imagenet(path, rows=4)
    assert open_source(str(path)).state_sha256() != before
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ChangedError, match=r"x\.parquet has changed since it was listed"):
        source.read(1)
    assert source.state_sha256() != before


def test_row_groups_too_large_to_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = imagenet(tmp_path / "x.parquet")
    monkeypatch.setattr("sae_core.parquets.MAX_GROUP_BYTES", 100)
    with pytest.raises(SourceError, match="write it again with smaller ones"):
        open_source(str(path))


def test_what_is_kept_of_files_does_not_grow_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n_bytes, n_rows = 1 << 20, 4
    for number in range(12):
        table = pa.table({"image": pa.array([bytes([number]) * n_bytes] * n_rows, pa.binary())})
        pq.write_table(table, tmp_path / f"{number:02d}.parquet")
    monkeypatch.setattr("sae_core.parquets._KEPT_BYTES", 2 * n_rows * n_bytes)
    source, before = open_source(str(tmp_path)), pa.total_allocated_bytes()
    for position in range(12 * n_rows):
        assert source.read(position).data == bytes([position // n_rows]) * n_bytes
    assert pa.total_allocated_bytes() - before < 4 * n_rows * n_bytes


def test_row_groups_that_are_kept_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        imagenet(tmp_path / f"{number}.parquet", group=6)
    read: list[int] = []
    group_of = parquets.Opened.read_group
    monkeypatch.setattr(parquets.Opened, "read_group", lambda file, n: read.append(n) or group_of(file, n))
    monkeypatch.setattr("sae_core.parquets._KEPT_BYTES", 0)  # the fewest that are kept: two
    source = open_source(str(tmp_path))
    for position in (5, 6, 4, 7, 5, 12, 6):
        source.read(position)
    assert read == [0, 1, 0, 1]  # of the second file 0, then of the first 1, which had gone for it


def test_tars_and_parquet_are_not_mixed(tmp_path: Path) -> None:
    imagenet(tmp_path / "x.parquet")
    (tmp_path / "a.png").write_bytes(PNGS[0])
    with pytest.raises(SourceError, match="both pictures and Parquet files"):
        open_source(str(tmp_path))
    (tmp_path / "a.png").rename(tmp_path / "a.tar")
    with pytest.raises(SourceError, match="matches both tars and Parquet files"):
        open_source(str(tmp_path / "*"))


def test_a_store_of_it_and_the_viewers_own_copy(tmp_path: Path) -> None:
    imagenet(tmp_path / "pictures" / "train-00000-of-00001.parquet")
    path = make_store(tmp_path / "store", 12, n_latents=32, k=4, images=tmp_path / "pictures", thumbnails="none")
    store = LatentStore.open(path, tmp_path / "pictures")
    assert store.manifest.source.kind == "parquet"
    record = store.image(5)
    assert (record.source_key, record.label, record.split) == ("train-00000-of-00001.parquet/5", NAMES[1], "train")
    assert store.thumbnail(5)
    assert LatentStore.open(path, tmp_path / "pictures" / "train-00000-of-00001.parquet").thumbnail(5)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    from huggingface_hub import HfFileSystem, constants

    with serve(Hub()) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        HfFileSystem.clear_instance_cache()
        files = {"README.md": b"# a card"}
        for split in ("train", "test"):
            name = f"data/{split}-00000-of-00001.parquet"
            files[name] = imagenet(tmp_path / name).read_bytes()
        repository = Repository(private=False)
        repository.commits["1" * 40] = files
        repository.branches["main"] = "1" * 40
        hub.repositories["ilsvrc/imagenet-1k"] = repository
        yield hub
        HfFileSystem.clear_instance_cache()


def test_a_data_set_of_the_hub_is_read_where_it_lies(hub: Hub) -> None:
    source = open_source("hf://ilsvrc/imagenet-1k")
    assert (source.name, len(source.keys), source.keys[12]) == (
        "ilsvrc/imagenet-1k",
        24,
        "data/train-00000-of-00001.parquet/0",
    )
    assert (source.read(14).data, source.read(14).split) == (PNGS[2], "train")
    again = pickle.loads(pickle.dumps(source))  # as a worker process gets it
    assert again.read(3).data == PNGS[3]
    assert len(open_source("hf://datasets/ilsvrc/imagenet-1k/data/test-*").keys) == 12
    assert len(open_source("hf://ilsvrc/imagenet-1k@main/data").keys) == 24


def test_what_the_hub_refuses(hub: Hub) -> None:
    for said, words in {
        "hf://ilsvrc": "names no data set",
        "hf://ilsvrc/imagenet-1k/other": "holds no Parquet files there, only: md, parquet",
        "hf://ilsvrc/nothing": "ilsvrc/nothing",
    }.items():
        with pytest.raises(SparsightError, match=words):
            open_source(said)
    hub.gated.add("ilsvrc/imagenet-1k")
    with pytest.raises(SparsightError, match="HF_TOKEN"):
        open_source("hf://ilsvrc/imagenet-1k")
