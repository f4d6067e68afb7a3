"""Adding pictures to a published store: what it has is not encoded again, and the result is as if all had been."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

from index_builder import build as build_module
from index_builder import encode as encode_stage
from index_builder.build import build
from index_builder.config import BuildConfig
from index_builder.plan import Encoders
from index_builder.verify import defects_of
from sae_core import ClipEncoder, LatentStore
from sae_core.errors import BuildError, MismatchError, StoreError
from sae_core.sae.checkpoint import save_sae
from tests.support.models import make_tiny_clip, random_sae
from tests.support.pictures import make_folder

N_OLD, N_NEW = 40, 25


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder, an SAE, a store of 40 pictures, and a folder that has grown and changed since."""
    root = tmp_path_factory.mktemp("reuse")
    make_tiny_clip(root / "clip")
    save_sae(random_sae(), root / "sae")
    pictures = make_folder(root / "pictures", N_OLD, {7: b"no picture"})
    build(config(root, root / "old"))
    make_folder(root / "more", N_OLD + N_NEW)
    for path in (root / "more").rglob("*.png"):
        if not (there := pictures / path.relative_to(root / "more")).exists():
            there.parent.mkdir(exist_ok=True)
            shutil.copy(path, there)
    names = sorted(pictures.rglob("*.png"))
    Image.new("RGB", (40, 30), (200, 10, 10)).save(names[3])  # another picture of the same name
    names[5].unlink()
    return root


def config(root: Path, out: Path, **changes: object) -> BuildConfig:
    wanted = {
        "images": (str(root / "pictures"),),
        "encoder": f"local-dir:{root / 'clip'}",
        "sae": str(root / "sae"),
        "out": out,
        "name": "test",
        "device": "cpu",
        "workers": 0,
        "batch_size": 8,
        "shard_size": 16,
    }
    return BuildConfig(**(wanted | changes))  # type: ignore[arg-type]


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each pass through the encoder had, without those of the first look at the fit."""
    passes, real = list[int](), ClipEncoder.embed_pixels

    def counted(self: ClipEncoder, pixels: Tensor) -> Tensor:
        passes.append(len(pixels))
        return real(self, pixels)

    monkeypatch.setattr(ClipEncoder, "embed_pixels", counted)
    monkeypatch.setattr(build_module, "check_compatibility", lambda *_: None)
    return passes


def contents(store: Path) -> dict[str, bytes]:
    return {str(path.relative_to(store)): path.read_bytes() for path in sorted(store.rglob("*")) if path.is_file()}


def test_only_new_and_changed_pictures_are_encoded(inputs: Path, tmp_path: Path, encoded: list[int]) -> None:
    build(config(inputs, tmp_path / "new", reuse=inputs / "old"))
    n_rejected_before = 1  # is tried again, and is no picture still
    assert sum(encoded) == N_NEW + 1
    assert defects_of(tmp_path / "new") == []
    new = LatentStore.open(tmp_path / "new")
    assert new.n_images == N_OLD + N_NEW - n_rejected_before - 1
    assert new.manifest.n_rejected == n_rejected_before


def test_the_store_is_the_one_that_a_whole_build_makes(inputs: Path, tmp_path: Path) -> None:
    build(config(inputs, tmp_path / "new", reuse=inputs / "old"))
    build(config(inputs, tmp_path / "whole"))
    new, whole = LatentStore.open(tmp_path / "new"), LatentStore.open(tmp_path / "whole")
    n = whole.n_images
    assert new.images(range(n)) == whole.images(range(n))
    assert [new.thumbnail(i) for i in range(n)] == [whole.thumbnail(i) for i in range(n)]
    np.testing.assert_allclose(new.embeddings(range(n)), whole.embeddings(range(n)), atol=1e-6)
    np.testing.assert_allclose(new.codes(range(n))[1], whole.codes(range(n))[1], atol=1e-5)
    assert new.manifest.source == whole.manifest.source


def test_another_sae_and_no_thumbnails(inputs: Path, tmp_path: Path, encoded: list[int]) -> None:
    other = save_sae(random_sae(n_latents=80, k=3, seed=5), tmp_path / "other")
    wanted = config(inputs, tmp_path / "new", sae=str(other), thumbnails="none")
    build(config(inputs, tmp_path / "whole", sae=str(other), thumbnails="none"))
    encoded.clear()
    build(BuildConfig(**(vars(wanted) | {"reuse": inputs / "old"})))
    assert sum(encoded) == N_NEW + 1
    new, whole = LatentStore.open(tmp_path / "new"), LatentStore.open(tmp_path / "whole")
    assert (new.n_latents, new.k, new.thumbnail(0)) == (80, 3, None)
    np.testing.assert_allclose(new.codes(range(9))[1], whole.codes(range(9))[1], atol=1e-5)


@pytest.mark.parametrize("workers", [0, 2])
def test_killed_and_resumed_the_bytes_are_the_same(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    build(config(inputs, tmp_path / "undisturbed", reuse=inputs / "old"))
    commit: Callable[..., None] = encode_stage.ShardWriter.commit
    done: list[int] = []

    def killed(self: encode_stage.ShardWriter) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        commit(self)
        done.append(1)

    with monkeypatch.context() as patched:
        patched.setattr(encode_stage.ShardWriter, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            build(config(inputs, tmp_path / "store", reuse=inputs / "old", workers=workers))
    with pytest.raises(BuildError, match="reuse was"):
        build(config(inputs, tmp_path / "store"))
    build(config(inputs, tmp_path / "store", reuse=inputs / "old", workers=workers))
    assert contents(tmp_path / "store") == contents(tmp_path / "undisturbed")


def decoded_on_the_gpu(wanted: BuildConfig) -> Encoders:
    return dataclasses.replace(build_module.load_models(wanted), decoder="gpu")


def test_what_cannot_be_reused_is_said_before_anything_is_encoded(
    inputs: Path, tmp_path: Path, encoded: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    make_tiny_clip(tmp_path / "clip", seed=9)
    with pytest.raises(MismatchError, match="another encoder"):
        build(config(inputs, tmp_path / "new", encoder=f"local-dir:{tmp_path / 'clip'}", reuse=inputs / "old"))
    with pytest.raises(BuildError, match="old was encoded in --precision fp32: give the same"):
        build(config(inputs, tmp_path / "new", precision="bf16", reuse=inputs / "old"))
    with pytest.raises(BuildError, match="old was built with --decode cpu: give the same"):
        build(config(inputs, tmp_path / "new", reuse=inputs / "old"), decoded_on_the_gpu)
    with pytest.raises(BuildError, match="wants thumbnails of 99 pixels, old has of 256"):
        build(config(inputs, tmp_path / "new", thumbnails=99, reuse=inputs / "old"))
    with pytest.raises(StoreError):
        build(config(inputs, tmp_path / "new", reuse=inputs / "pictures"))
    damaged = shutil.copytree(inputs / "old", tmp_path / "damaged")
    with open(damaged / "embeddings.npy", "r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\xff\xff\xff\xff")
    with pytest.raises(StoreError, match=r"embeddings\.npy has other bytes"):
        build(config(inputs, tmp_path / "new", reuse=damaged))
    assert encoded == []


def test_other_names_are_a_warning(inputs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(inputs / "pictures", tmp_path / "above" / "pictures")
    build(config(inputs, tmp_path / "new", images=(str(tmp_path / "above"),), reuse=inputs / "old"))
    assert "nothing listed is in" in caplog.text
