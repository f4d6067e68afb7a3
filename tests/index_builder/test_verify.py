"""Broken copies of a store: opening refuses what it can see cheaply, `verify` names every defect at once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from index_builder.publish import file_info
from index_builder.verify import defects_of
from sae_core import LatentStore
from sae_core.errors import EncoderError, MismatchError, StoreError
from sae_core.references import local_path, public_reference
from sae_core.sae.checkpoint import load_sae, save_sae
from sae_core.store import layout
from tests.support.stores import make_store

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("verify") / "store", 40)


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "store"))


def rehash(store: Path) -> None:
    """A forger's manifest: sizes and hashes are right, only the contents are wrong."""
    manifest = json.loads((store / "manifest.json").read_text())
    manifest["files"] = {name: file_info(store / name).model_dump() for name in manifest["files"]}
    (store / "manifest.json").write_text(json.dumps(manifest))


def edit_array(name: str, change: Callable[[np.ndarray], object]) -> Damage:
    def damage(store: Path) -> None:
        array = np.load(store / name)
        changed = change(array)
        np.save(store / name, array if changed is None else changed)

    return damage


def edit_manifest(change: Callable[[dict[str, object]], object]) -> Damage:
    def damage(store: Path) -> None:
        manifest = json.loads((store / "manifest.json").read_text())
        change(manifest)
        (store / "manifest.json").write_text(json.dumps(manifest))

    return damage


def swap_the_first_with_another(array: np.ndarray) -> None:
    other = next(row for row in range(len(array)) if (array[row] != array[0]).any())
    array[[0, other]] = array[[other, 0]]


def edit_table(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Damage:
    def damage(store: Path) -> None:
        schema = pq.read_schema(store / name)
        changed = change(pd.read_parquet(store / name))
        known = schema if list(changed.columns) == schema.names else None
        pq.write_table(pa.Table.from_pandas(changed, schema=known, preserve_index=False), store / name)

    return damage


def edit_images(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Damage:
    def damage(store: Path) -> None:
        with pa.ipc.open_file(str(store / "images.arrow")) as reader:
            table = reader.read_pandas()
        changed = pa.Table.from_pandas(change(table), schema=layout.IMAGE_SCHEMA, preserve_index=False)
        with pa.ipc.new_file(str(store / "images.arrow"), layout.IMAGE_SCHEMA) as writer:
            writer.write_table(changed)

    return damage


def an_active_near_miss(store: Path) -> None:
    offsets, ids = np.load(store / "postings/offsets.npy"), np.load(store / "postings/image_ids.npy")
    misses = np.load(store / "latents/near_misses.npy")
    latent = int(np.flatnonzero((np.diff(offsets) > 0) & (misses[:, 0] >= 0))[0])
    misses[latent, 0] = ids[offsets[latent]]
    np.save(store / "latents/near_misses.npy", misses)


def replace_index(store: Path) -> None:
    index = faiss.IndexFlatIP(32)
    index.add(np.ones((40, 32), dtype=np.float32))
    faiss.write_index(index, str(store / "embeddings.faiss"))


def index_with_another_vector(store: Path) -> None:
    index = faiss.read_index(str(store / "embeddings.faiss"))
    x = index.reconstruct_n(0, index.ntotal)
    x[7, 3] += 0.01
    index.reset()
    index.add(x)
    faiss.write_index(index, str(store / "embeddings.faiss"))


def another_sae(store: Path) -> None:
    sae = load_sae(store / "sae")
    sae.W_dec[0, 0] += 1
    save_sae(sae, store / "sae")


def out_of_order(store: Path) -> None:
    offsets = np.load(store / "postings/offsets.npy")
    latent = int(np.diff(offsets).argmax())
    values = np.load(store / "postings/activations.npy")
    values[offsets[latent]] /= 2
    np.save(store / "postings/activations.npy", values)


SILENT: dict[str, tuple[Damage, str]] = {
    "a latent that does not exist": (
        edit_array("codes/indices.npy", lambda a: a.__setitem__((0, 0), 64)),
        "names latents",
    ),
    "a code that is not sorted": (edit_array("codes/activations.npy", lambda a: a.sort(axis=1)), "strongest first"),
    "a code that is not a number": (
        edit_array("codes/activations.npy", lambda a: a.__setitem__((3, 1), np.nan)),
        "finite",
    ),
    "a code that the postings do not know": (
        edit_array("codes/activations.npy", lambda a: a.__imul__(1.5)),
        "disagree",
    ),
    "offsets that fall": (edit_array("postings/offsets.npy", swap_the_first_with_another), "does not partition"),
    "an image that does not exist": (
        edit_array("postings/image_ids.npy", lambda a: a.__setitem__(0, 40)),
        "names images",
    ),
    "a gallery out of order": (out_of_order, "strongest first with ties"),
    "image rows that are gone": (edit_images(lambda t: t.iloc[1:]), "39 rows, not 40"),
    "a listed key twice": (edit_images(lambda t: t.assign(source_key="x")), "listed twice"),
    "columns of another format": (
        edit_table("latents.parquet", lambda t: t.rename(columns={"name": "n"})),
        "other columns",
    ),
    "counts of another store": (edit_table("latents.parquet", lambda t: t.assign(n_active=t.n_active + 1)), "n_active"),
    "vectors that are not unit": (edit_array("embeddings.npy", lambda a: a.__imul__(1.1)), "unit norm"),
    "an index of other vectors": (replace_index, "other vectors"),
    "a latent twice in a code": (
        edit_array("codes/indices.npy", lambda a: a.__setitem__((0, 1), a[0, 0])),
        "twice in one row",
    ),
    "a histogram of another gallery": (
        edit_array("latents/histograms.npy", swap_the_first_with_another),
        "histograms.npy",
    ),
    "labels of other images": (edit_array("labels.npy", lambda a: a.sort()), "disagree about labels"),
    "label counts of another store": (
        edit_table("labels.parquet", lambda t: t.assign(n_images=t.n_images + 1)),
        "n_images",
    ),
    "deciles upside down": (edit_array("latents/label_counts.npy", lambda a: a[:, :, ::-1].copy()), "label_codes.npy"),
    "co-activity of other latents": (
        edit_array("latents/coactive_counts.npy", lambda a: a.__iadd__(1)),
        "coactive.npy",
    ),
    "a near miss that is active": (an_active_near_miss, "in which the latent is active"),
    "near misses upside down": (
        edit_array("latents/near_miss_pre_activations.npy", lambda a: a[:, ::-1].copy()),
        "highest first",
    ),
    "near misses of another SAE": (
        edit_array("latents/near_miss_pre_activations.npy", lambda a: a.__imul__(1.1)),
        "what the SAE gives",
    ),
    "another sum of outer products": (
        edit_array("moments/products.npy", lambda a: a.__imul__(1.01)),
        "moments/products.npy is not what the embeddings add up to",
    ),
    "sums of other labels": (
        edit_array("moments/label_sums.npy", lambda a: a[:, ::-1].copy()),
        "moments/label_sums.npy is not what the embeddings add up to",
    ),
    "sums of fewer labels": (
        edit_array("moments/label_counts.npy", lambda a: a[:, 1:].copy()),
        "moments/label_counts.npy is not what the embeddings add up to",
    ),
    "centroids that are not unit": (
        edit_array("latents/centroids.npy", lambda a: a.__imul__(0.5)),
        "neither of unit norm",
    ),
    "an effect on no label": (
        edit_array("latents/effect_labels.npy", lambda a: a.__setitem__((0, 0), 99)),
        "names labels",
    ),
    "controls of other densities": (
        edit_table(layout.CONTROLS, lambda t: t.assign(n_active=t.n_active + 1)),
        "controls.parquet: n_active",
    ),
    "controls with other pictures": (
        edit_table(layout.CONTROLS, lambda t: t.assign(top_images=[[0, 1]] * len(t))),
        "other images than its directions find",
    ),
    "controls like other latents": (
        edit_table(layout.CONTROLS, lambda t: t.assign(like_latent=t.like_latent + 1)),
        "matched with other latents",
    ),
    "controls without a column": (
        edit_table(layout.CONTROLS, lambda t: t.drop(columns="name")),
        "other columns",
    ),
    "an index of another vector": (index_with_another_vector, "other vectors"),
    "a vector that is not a number": (
        edit_array("embeddings.npy", lambda a: a.__setitem__((7, 3), np.nan)),
        "unit norm",
    ),
    "thumbnails that overlap": (edit_array("thumbnails.npy", lambda a: a.__setitem__(5, 0)), "does not partition"),
    "another SAE": (another_sae, "not the SAE"),
    "a count of dead latents that is wrong": (edit_manifest(lambda m: m["report"].update(n_dead=1)), "n_dead"),  # type: ignore[attr-defined]
}

LOUD: dict[str, tuple[Damage, str]] = {
    "a file that is gone": (lambda s: (s / "latents.faiss").unlink(), "latents.faiss is missing"),
    "a file that is cut": (lambda s: os.truncate(s / "thumbnails.bin", 100), "thumbnails.bin has 100 bytes"),
    "a manifest that is cut": (lambda s: os.truncate(s / "manifest.json", 100), "manifest.json"),
    "no manifest": (lambda s: (s / "manifest.json").unlink(), "no manifest.json"),
    "a newer format": (edit_manifest(lambda m: m.update(schema_version=2)), "schema_version"),
    "a field too many": (edit_manifest(lambda m: m.update(pickle="evil")), "pickle"),
    "a file that leads out": (
        edit_manifest(lambda m: m["files"].update({"../../etc/passwd": {"size": 1, "sha256": "0" * 64}})),  # type: ignore[attr-defined]
        "do not belong in a store",
    ),
    "more images than codes": (edit_manifest(lambda m: m.update(n_images=41)), "codes/indices.npy is int32"),
    "a hash that is no hash": (edit_manifest(lambda m: m["sae"].update(fingerprint="zz")), "fingerprint"),  # type: ignore[attr-defined]
    "no images at all": (edit_manifest(lambda m: m.update(n_images=0)), "n_images"),
}


def test_a_sound_store_has_no_defect(sound: Path) -> None:
    assert defects_of(sound) == []


@pytest.mark.parametrize("what", SILENT)
def test_defects_inside_the_files(copy: Path, what: str) -> None:
    damage, said = SILENT[what]
    damage(copy)
    rehash(copy)
    assert any(said in defect for defect in defects_of(copy)), defects_of(copy)


@pytest.mark.parametrize("what", LOUD)
def test_defects_that_opening_sees(copy: Path, what: str) -> None:
    damage, said = LOUD[what]
    damage(copy)
    with pytest.raises(StoreError, match=said) as caught:
        LatentStore.open(copy)
    assert caught.value.hint
    assert any(said in defect for defect in defects_of(copy))


@pytest.mark.parametrize("what", ["a newer format", "a field too many", "a file that leads out"])
def test_what_this_version_does_not_know_is_not_called_broken(copy: Path, what: str) -> None:
    """The way out is an update, not to remove the store."""
    LOUD[what][0](copy)
    with pytest.raises(StoreError, match="says what this version does not know") as caught:
        LatentStore.open(copy)
    assert caught.value.hint.startswith("update Sparsight")
    LOUD["a hash that is no hash"][0](copy)
    with pytest.raises(StoreError, match="defects") as caught:
        LatentStore.open(copy)
    assert caught.value.hint.startswith("remove ")


def test_any_changed_byte_is_found(copy: Path) -> None:
    names = json.loads((copy / "manifest.json").read_text())["files"]
    for name in names:
        data = bytearray((copy / name).read_bytes())
        data[len(data) // 2] ^= 1
        (copy / name).write_bytes(data)
        assert any(defect.startswith(f"{name} ") for defect in defects_of(copy)), name
        data[len(data) // 2] ^= 1
        (copy / name).write_bytes(data)
    assert defects_of(copy) == []


def test_all_defects_are_listed_at_once(copy: Path) -> None:
    for what in ("a file that is gone", "a file that is cut"):
        LOUD[what][0](copy)
    edit_array("codes/indices.npy", lambda a: a.astype(np.int64))(copy)
    with pytest.raises(StoreError) as caught:
        LatentStore.open(copy)
    assert len(caught.value.defects) == 4  # gone, cut, another size, another type
    assert all(part in str(caught.value) for part in ("latents.faiss", "thumbnails.bin", "codes/indices.npy"))


def test_a_link_out_of_the_store_is_refused(copy: Path, sound: Path) -> None:
    (copy / "latents.parquet").unlink()
    (copy / "latents.parquet").symlink_to(sound / "latents.parquet")
    with pytest.raises(StoreError, match="leads out of the store"):
        LatentStore.open(copy)


def test_pickled_arrays_are_not_opened(copy: Path) -> None:
    np.save(copy / "postings/offsets.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    rehash(copy)
    with pytest.raises(StoreError, match=r"postings/offsets\.npy is no array"):
        LatentStore.open(copy)


class _Trace:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_in_an_array_does_not_run(copy: Path, tmp_path: Path) -> None:
    left = tmp_path / "left"
    for name in layout.DTYPES:
        np.save(copy / name, np.array([_Trace(left)], dtype=object), allow_pickle=True)
    rehash(copy)
    assert len(defects_of(copy)) >= len(layout.DTYPES)
    with pytest.raises(StoreError, match="is no array"):
        LatentStore.open(copy)
    assert not left.exists()
    np.load(copy / next(iter(layout.DTYPES)), allow_pickle=True)
    assert left.exists(), "the payload is one"


@pytest.mark.parametrize(
    "header", [b"{'descr': '<f4', 'shape': (", b"(" * 900, b"{'descr': ['", b"\xff\xfe", b"9" * 5_000]
)
def test_a_header_that_is_no_header(copy: Path, header: bytes) -> None:
    said = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    (copy / "embeddings.npy").write_bytes(said)
    rehash(copy)
    with pytest.raises(StoreError, match=r"embeddings\.npy is no array: [^\n]+"):
        LatentStore.open(copy)


def test_a_manifest_of_any_size_is_not_read(copy: Path) -> None:
    with open(copy / "manifest.json", "ab") as file:
        file.truncate(50_000_000)
    with pytest.raises(StoreError, match="more than any manifest"):
        LatentStore.open(copy)


def test_special_files_are_no_files(copy: Path) -> None:
    """A pipe would hang whoever opens it."""
    (copy / "latents.parquet").unlink()
    os.mkfifo(copy / "latents.parquet")
    with pytest.raises(StoreError, match=r"latents\.parquet is missing"):
        LatentStore.open(copy)


def test_an_upload_is_never_encoded_by_another_encoder(copy: Path) -> None:
    from tests.support.models import make_tiny_clip

    reference = make_tiny_clip(copy.parent / "other", seed=5)
    edit_manifest(lambda m: m["encoder"].update(ref=reference))(copy)  # type: ignore[attr-defined]
    with pytest.raises(MismatchError, match="fingerprint"):
        LatentStore.open(copy).load_encoder()


def test_the_encoder_may_lie_elsewhere(copy: Path) -> None:
    here = LatentStore.open(copy).manifest.encoder.ref
    edit_manifest(lambda m: m["encoder"].update(ref="local-dir:/home/somebody/clip"))(copy)  # type: ignore[attr-defined]
    store = LatentStore.open(copy)
    with pytest.raises(EncoderError, match=r"^this store’s encoder, local-dir:clip, lay in a folder of"):
        store.load_encoder()
    with pytest.raises(
        EncoderError, match=r"^SPARSIGHT_ENCODER says local-dir:mine, and there is no such folder or file"
    ):
        store.load_encoder(reference="local-dir:/nowhere/mine")
    assert store.missing_encoder() is not None and store.missing_encoder(here) is None
    assert store.load_encoder(reference=here).fingerprint == store.manifest.encoder.fingerprint


@pytest.mark.parametrize(
    ("said", "path", "shown"),
    [
        ("demo", None, "demo"),
        ("hf-hub:org/name", None, "hf-hub:org/name"),
        ("ViT-B/16:openai", None, "ViT-B/16:openai"),
        ("ViT-B-16:/home/me/weights.pt", "/home/me/weights.pt", "ViT-B-16:weights.pt"),
        ("local-dir:clip", "clip", "local-dir:clip"),
        ("local-dir:/home/me/clip/", "/home/me/clip", "local-dir:clip"),
        ("/home/me/a:b/clip", "/home/me/a:b/clip", "clip"),
        ("models/clip", "models/clip", "clip"),
    ],
)
def test_a_folder_is_shown_by_its_name(said: str, path: str | None, shown: str) -> None:
    assert (local_path(said), public_reference(said)) == (path and Path(path), shown)


def test_codes_are_never_made_by_another_sae(copy: Path) -> None:
    another_sae(copy)
    with pytest.raises(MismatchError, match="made by"):
        LatentStore.open(copy).sae()
