"""A store with another SAE, or without its pictures, from a published one: equal to one that is built from scratch."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from index_builder import recode as recode_module
from index_builder.cli import main
from index_builder.commands import RecodeCommand
from index_builder.publish import file_info
from index_builder.recode import link, recode
from index_builder.verify import defects_of
from sae_core import LatentStore
from sae_core.encoder.clip import ClipEncoder
from sae_core.errors import BuildError, CheckpointError, MismatchError, StoreError
from sae_core.sae.checkpoint import save_sae
from tests.support.models import random_sae
from tests.support.stores import make_store


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("recode") / "old", 60, n_latents=48, k=4)


@pytest.fixture(scope="module")
def other_sae(old: Path) -> Path:
    """More latents and another k than the old store's."""
    width = LatentStore.open(old).manifest.d_embed
    return save_sae(random_sae(d_embed=width, n_latents=96, k=6, seed=3), old.with_name("other"))


def test_another_sae_gives_the_codes_of_its_equation(old: Path, other_sae: Path, tmp_path: Path) -> None:
    recode(RecodeCommand(old, tmp_path / "new", sae=str(other_sae)))
    was, new = LatentStore.open(old), LatentStore.open(tmp_path / "new")
    assert defects_of(tmp_path / "new") == []
    assert (new.n_latents, new.k, new.n_images) == (96, 6, was.n_images)
    weights = {name: value.double().numpy() for name, value in new.sae().state_dict().items()}
    x = was.embeddings(range(was.n_images)).astype(np.float64)
    pre = x @ weights["W_enc"] + weights["b_enc"]
    latents, activations = new.codes(range(new.n_images))
    np.testing.assert_allclose(activations, np.sort(pre)[:, ::-1][:, :6], atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(pre, latents, 1), activations, atol=1e-5)


def test_pictures_and_records_are_the_old_ones(old: Path, other_sae: Path, tmp_path: Path) -> None:
    recode(RecodeCommand(old, tmp_path / "new", sae=str(other_sae), name="With another SAE"))
    was, new = LatentStore.open(old), LatentStore.open(tmp_path / "new")
    assert new.manifest.name == "With another SAE" and new.manifest.sae.ref == "other"
    assert new.manifest.source == was.manifest.source and new.manifest.encoder == was.manifest.encoder
    assert new.images(range(60)) == was.images(range(60))
    assert [new.thumbnail(i) for i in range(60)] == [was.thumbnail(i) for i in range(60)]
    assert (old / "embeddings.npy").samefile(tmp_path / "new" / "embeddings.npy")


def test_the_same_sae_gives_the_same_bytes(old: Path, tmp_path: Path) -> None:
    recode(RecodeCommand(old, tmp_path / "new", name="Test pictures"))
    names = sorted(str(path.relative_to(old)) for path in old.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*.*"))
    assert [name for name in names if (old / name).read_bytes() != (tmp_path / "new" / name).read_bytes()] == []


def test_a_store_that_is_there_is_said_with_the_way_to_look_at_it(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sparsight")
    for _ in range(2):
        assert main(["recode", str(old), "--out", str(tmp_path / "new")]) == 0
        assert f"to look at it: SPARSIGHT_STORE={tmp_path / 'new'} " in capsys.readouterr().out
    assert "nothing to do" in caplog.text
    assert "--reuse" not in caplog.text, "recode has no such option"


def test_a_store_without_its_pictures(old: Path, tmp_path: Path) -> None:
    assert main(["recode", str(old), "--out", str(tmp_path / "new"), "--thumbnails", "none"]) == 0
    new = LatentStore.open(tmp_path / "new")
    assert defects_of(tmp_path / "new") == []
    assert new.manifest.thumbnail_side is None and new.thumbnail(0) is None
    assert not list((tmp_path / "new").glob("thumbnails.*"))
    assert new.code(3).latents.tolist() == LatentStore.open(old).code(3).latents.tolist()


def test_no_picture_is_encoded(old: Path, other_sae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def encoded(*_: object) -> None:
        raise AssertionError("a picture was encoded")

    monkeypatch.setattr(ClipEncoder, "embed_pixels", encoded)
    recode(RecodeCommand(old, tmp_path / "new", sae=str(other_sae)))


def test_a_killed_recoding_begins_again(
    old: Path, other_sae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = RecodeCommand(old, tmp_path / "new", sae=str(other_sae))
    before = {path: file_info(path) for path in old.rglob("*.*")}

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(recode_module, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            recode(command)
    assert not (tmp_path / "new").exists()
    recode(command)
    assert defects_of(tmp_path / "new") == []
    assert recode(command).name == "new"  # there already: nothing to do
    assert {path: file_info(path) for path in old.rglob("*.*")} == before


def test_what_was_published_meanwhile_is_not_made_again(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = RecodeCommand(old, tmp_path / "new", name="Test pictures")

    def not_yet(*_: object) -> None:
        monkeypatch.undo()
        shutil.copytree(old, tmp_path / "new")
        monkeypatch.setattr(recode_module, "analyse", lambda *_: pytest.fail("made again"))

    monkeypatch.setattr(recode_module, "finished", not_yet)
    assert recode(command).n_images == 60
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_an_encoder_that_lies_elsewhere_is_named(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = Path(shutil.copytree(old, tmp_path / "moved"))
    manifest = json.loads((moved / "manifest.json").read_text())
    here, manifest["encoder"]["ref"] = manifest["encoder"]["ref"], "local-dir:/home/somebody/clip"
    (moved / "manifest.json").write_text(json.dumps(manifest))
    asked = ["recode", str(moved), "--out", str(tmp_path / "new")]
    assert main(asked) == 2
    said = capsys.readouterr().err
    assert "SPARSIGHT_ENCODER=FOLDER says where it is now" in said and "somebody" not in said
    monkeypatch.setenv("SPARSIGHT_ENCODER", here)
    assert main(asked) == 0
    assert defects_of(tmp_path / "new") == []


def test_what_cannot_be_recoded_is_refused(old: Path, other_sae: Path, tmp_path: Path) -> None:
    narrow = save_sae(random_sae(d_embed=8, n_latents=16, k=2), tmp_path / "narrow")
    with pytest.raises(MismatchError, match="the SAE takes 8"):
        recode(RecodeCommand(old, tmp_path / "new", sae=str(narrow)))
    with pytest.raises(CheckpointError):
        recode(RecodeCommand(old, tmp_path / "new", sae=str(tmp_path / "nothing here")))
    with pytest.raises(BuildError, match="--k goes with --sae"):
        recode(RecodeCommand(old, tmp_path / "new", k=8))
    with pytest.raises(BuildError, match="the old store itself"):
        recode(RecodeCommand(old, old, sae=str(other_sae)))
    damaged = shutil.copytree(old, tmp_path / "damaged")
    with open(damaged / "embeddings.npy", "r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\xff\xff\xff\xff")
    with pytest.raises(StoreError, match=r"embeddings\.npy has other bytes"):
        recode(RecodeCommand(damaged, tmp_path / "new", sae=str(other_sae)))
    assert not (tmp_path / "new").exists()


def test_where_links_cannot_be_made_files_are_copied(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")

    def refused(_: Path, __: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    link(tmp_path / "a", tmp_path / "below" / "b", refused)
    assert (tmp_path / "below" / "b").read_text() == "text"
    assert not (tmp_path / "a").samefile(tmp_path / "below" / "b")
