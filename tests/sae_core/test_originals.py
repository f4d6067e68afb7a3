"""A viewer's own copy of the pictures stands in for a store's: the same bytes or nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from index_builder.build import build
from index_builder.config import BuildConfig
from sae_core import LatentStore
from sae_core.errors import BuildError, SourceError
from sae_core.store.originals import Originals
from tests.support.pictures import encoded, make_folder, make_tar, picture
from tests.support.stores import make_store


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("originals") / "train", 12)


@pytest.fixture(scope="module")
def bare(folder: Path) -> Path:
    """A store without pictures, of a folder."""
    return make_store(folder.parent / "store", 12, n_latents=32, images=folder, thumbnails="none")


def test_pictures_of_the_folder_stand_in(bare: Path, folder: Path) -> None:
    assert not LatentStore.open(bare).has_thumbnails
    store = LatentStore.open(bare, originals=folder)
    assert store.has_thumbnails
    for image_id in range(store.n_images):
        own = Image.open(folder / store.image(image_id).source_key).convert("RGB")
        seen, small = store.original(image_id), store.thumbnail(image_id)
        assert seen is not None and seen.tobytes() == own.tobytes()
        assert small is not None and Image.open(io.BytesIO(small.data)).size == own.size


def test_the_folder_above_the_split_is_the_same_copy(bare: Path, folder: Path) -> None:
    """The store was made of `…/train`, its viewer names the folder above."""
    assert LatentStore.open(bare, originals=folder.parent).thumbnail(0) is not None


def test_the_split_itself_is_the_same_copy(bare: Path, folder: Path) -> None:
    """The other way round: the key begins with the split, the viewer names the split's folder."""
    record = LatentStore.open(bare).image(0)
    assert Originals(folder).thumbnail(dataclasses.replace(record, source_key=f"train/{record.source_key}"))


def test_pictures_of_a_tar_stand_in(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tar = make_tar(tmp_path / "in" / "pictures.tar", 12)
    bare = make_store(tmp_path / "store", 12, n_latents=32, images=tar, thumbnails="none")
    for named in (tar, tar.parent):
        store = LatentStore.open(bare, originals=named)
        assert all(store.thumbnail(image_id) is not None for image_id in range(store.n_images))


def found(path: Path, named: Path) -> list[bool]:
    """Which pictures of a store a copy shows."""
    store = LatentStore.open(path, originals=named)
    return [store.thumbnail(image_id) is not None for image_id in range(store.n_images)]


def renamed(tar: Path, new: Path, name: Callable[[str], str]) -> Path:
    """The same tar with other names in it."""
    with tarfile.open(tar) as old, tarfile.open(new, "w") as out:
        for info in old:
            data = old.extractfile(info)
            info.name = name(info.name)
            out.addfile(info, data)
    return new


def test_pictures_of_a_tar_with_odd_names_stand_in(tmp_path: Path) -> None:
    """As `tar cf x.tar .` writes them, bytes that are no UTF-8, a file system that shouts."""
    plain, folder = make_tar(tmp_path / "pictures.tar", 12), tmp_path / "in" / "caf\udce9"
    folder.mkdir(parents=True)
    tar = renamed(plain, folder / "A.TAR", lambda name: f"./a\udce9/{name}")
    renamed(plain, tmp_path / "in" / "b.tar", lambda name: f"./{name}")
    bare = make_store(tmp_path / "store", 12, n_latents=32, images=tmp_path / "in", thumbnails="none")
    keys = [LatentStore.open(bare).image(image_id).source_key for image_id in (0, 12)]
    assert keys == ["b.tar/00000", "caf\\udce9/A.TAR/a\\udce9/00000"]
    assert found(bare, tmp_path / "in") == [True] * 24
    assert found(bare, tar) == [False] * 12 + [True] * 12


def test_pictures_with_odd_paths_stand_in(tmp_path: Path) -> None:
    """A split in capitals, a folder called as a tar, and bytes that are no UTF-8."""
    folder = make_folder(tmp_path / "in" / "Train", 12)
    labels = sorted(path for path in folder.iterdir())
    labels[0].rename(folder / "x.tar")
    labels[1].rename(folder / "y\udce9.parquet")
    bare = make_store(tmp_path / "store", 12, n_latents=32, images=folder.parent, thumbnails="none")
    assert LatentStore.open(bare).image(0).source_key.startswith("Train/")
    for named in (folder, folder.parent):
        assert found(bare, named) == [True] * 12
    record = LatentStore.open(bare).image(0)
    assert Originals(folder).thumbnail(dataclasses.replace(record, source_key=record.source_key.replace("T", "t", 1)))
    inside = dataclasses.replace(record, source_key=record.source_key.removeprefix("Train/"))
    folder.rename(tmp_path / "VALID")
    assert Originals(tmp_path).thumbnail(inside)


def test_another_picture_under_the_same_name_is_not_shown(bare: Path, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    store = LatentStore.open(bare, originals=copy)
    path = copy / store.image(0).source_key
    right = path.read_bytes()
    path.write_bytes(encoded(picture(77)[1]))
    assert store.thumbnail(0) is None and store.original(0) is None
    path.unlink()
    assert store.thumbnail(0) is None
    path.write_bytes(right)
    assert store.thumbnail(0) is not None, "a failure is not remembered"
    assert store.thumbnail(1) is not None


@pytest.mark.parametrize(
    "key", ["../secret.png", "/etc/passwd", "a/../../secret.png", "", "secret.png/x", "../x.tar/y"]
)
def test_no_key_leads_out_of_the_folder(bare: Path, tmp_path: Path, key: str) -> None:
    """Even where the hash is right: the store is somebody else's."""
    data = encoded(picture(3)[1])
    (tmp_path / "secret.png").write_bytes(data)
    (tmp_path / "inside").mkdir()
    record = LatentStore.open(bare).image(0)
    asked = dataclasses.replace(record, source_key=key, sha256=hashlib.sha256(data).hexdigest())
    assert Originals(tmp_path / "inside").thumbnail(asked) is None


def test_a_pipe_is_never_waited_for(bare: Path, tmp_path: Path) -> None:
    record = LatentStore.open(bare).image(0)
    path = tmp_path / record.source_key
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    assert Originals(tmp_path).thumbnail(record) is None


def test_tiny_thumbnails_give_way_and_large_ones_stay(folder: Path, tmp_path: Path) -> None:
    for side, its_own in ((16, False), (256, True)):
        path = make_store(tmp_path / f"s{side}", 12, n_latents=32, images=folder, thumbnails=side)
        with_copy, without = LatentStore.open(path, originals=folder), LatentStore.open(path)
        assert (with_copy.thumbnail(0) == without.thumbnail(0)) is its_own


def test_a_copy_that_is_not_there_is_said(bare: Path) -> None:
    with pytest.raises(SourceError, match="no folder and no file of pictures at /nowhere"):
        LatentStore.open(bare, originals="/nowhere")


@pytest.mark.parametrize("side", [0, -3])
def test_thumbnails_of_no_size_are_refused(tmp_path: Path, side: int) -> None:
    with pytest.raises(BuildError, match="or none"):
        build(BuildConfig(images=("x",), encoder="demo", sae="demo", out=tmp_path / "s", thumbnails=side))
