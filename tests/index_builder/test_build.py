"""A store is complete, honest about rejects, equal however often its build was killed, and never half-written."""

from __future__ import annotations

import io
import json
import os
import pkgutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from index_builder import bf16
from index_builder import build as build_module
from index_builder import encode as encode_stage
from index_builder.build import build, load_models
from index_builder.config import BuildConfig
from index_builder.decode import Reject
from index_builder.plan import Encoders, Plan
from index_builder.rejects import RejectRows
from index_builder.verify import defects_of
from sae_core import ClipEncoder, LatentStore, load_sae
from sae_core.errors import BuildError, ChangedError, MismatchError, StoreError
from sae_core.references import REPOSITORY_ROOT
from sae_core.sae.checkpoint import save_sae
from tests.support.models import make_tiny_clip, random_sae
from tests.support.pictures import encoded, make_folder, make_tar, picture


def contents(store: Path) -> dict[str, bytes]:
    return {str(path.relative_to(store)): path.read_bytes() for path in sorted(store.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 638 pictures, some of them broken, a tiny CLIP and an SAE."""
    root = tmp_path_factory.mktemp("inputs")
    broken = dict.fromkeys((0, 5, 77, 300, 301, 302, 637), b"no picture") | {
        9: encoded(picture(9)[1])[:200],
        10: b"",
    }
    make_folder(root / "pictures", 638, broken)
    make_tiny_clip(root / "clip")
    save_sae(random_sae(), root / "sae")
    return root


def config(inputs: Path, out: Path, **changes: object) -> BuildConfig:
    wanted = {
        "images": (str(inputs / "pictures"),),
        "encoder": f"local-dir:{inputs / 'clip'}",
        "sae": str(inputs / "sae"),
        "out": out,
        "name": "test",
        "device": "cpu",
        "workers": 0,
        "batch_size": 16,
        "shard_size": 64,
    }
    return BuildConfig(**(wanted | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def undisturbed(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "store"
    build(config(inputs, out))
    return out


def oracle_codes(inputs: Path, keys: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings one picture at a time, and codes from the paper's equation in NumPy."""
    encoder = ClipEncoder.load(f"local-dir:{inputs / 'clip'}")
    sae = load_sae(inputs / "sae")
    images = [Image.open(inputs / "pictures" / key) for key in keys]
    x = encoder.encode_images(images).double().numpy()
    weights = {name: value.double().numpy() for name, value in sae.state_dict().items()}
    return x, x @ weights["W_enc"] + weights["b_enc"]


def test_every_input_is_indexed_or_rejected_and_rows_never_shift(inputs: Path, undisturbed: Path) -> None:
    import pandas as pd

    store = LatentStore.open(undisturbed)
    rejects = pd.read_parquet(undisturbed / "rejects.parquet")
    listed = sorted(str(path.relative_to(inputs / "pictures")) for path in (inputs / "pictures").rglob("*.png"))
    records = store.images(range(store.n_images))
    assert sorted([record.source_key for record in records] + list(rejects.source_key)) == listed
    assert len(rejects) == store.manifest.n_rejected == 9
    assert set(rejects.error) == {"not-a-picture", "broken", "empty"}
    keys = [record.source_key for record in records]
    assert keys == sorted(keys)
    x, _ = oracle_codes(inputs, keys)
    stored = np.stack([store.embedding(image_id) for image_id in range(store.n_images)])
    np.testing.assert_allclose(stored, x, atol=1e-5)
    numbers = [int(Path(key).stem) for key in keys]
    assert [record.label for record in records] == [picture(number)[0].replace(" ", "_") for number in numbers]


def test_codes_equal_the_oracle(inputs: Path, undisturbed: Path) -> None:
    store = LatentStore.open(undisturbed)
    keys = [record.source_key for record in store.images(range(store.n_images))]
    _, pre = oracle_codes(inputs, keys)
    for image_id in range(store.n_images):
        code = store.code(image_id)
        best = np.sort(pre[image_id])[::-1][:4]
        np.testing.assert_allclose(code.activations, best[best > 0], atol=1e-4)
        np.testing.assert_allclose(pre[image_id][code.latents], code.activations, atol=1e-4)


def test_galleries_equal_a_brute_force_over_the_codes(undisturbed: Path) -> None:
    store = LatentStore.open(undisturbed)
    codes = [store.code(image_id) for image_id in range(store.n_images)]
    for latent in range(store.n_latents):
        wanted = sorted(
            (
                (-float(activation), image_id)
                for image_id, code in enumerate(codes)
                for active, activation in zip(code.latents, code.activations, strict=True)
                if active == latent
            ),
        )
        gallery = store.gallery(latent)
        assert gallery.image_ids.tolist() == [image_id for _, image_id in wanted]
        assert gallery.activations.tolist() == [-negative for negative, _ in wanted]
        assert store.gallery_size(latent) == len(wanted) == store.latents.n_active[latent]


@pytest.mark.parametrize("workers", [1, 2])
def test_worker_processes_change_no_byte(inputs: Path, undisturbed: Path, tmp_path: Path, workers: int) -> None:
    build(config(inputs, tmp_path / "store", workers=workers))
    assert contents(tmp_path / "store") == contents(undisturbed)


def test_no_more_processes_are_started_than_have_something_to_do(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = [], encode_stage.finished_batches

    def started(*args: Any) -> Any:
        asked.append(args[3])
        return real(*args[:3], 0, args[4])

    monkeypatch.setattr(encode_stage, "finished_batches", started)
    monkeypatch.setattr("index_builder.stages.n_cores", lambda: 2)
    for n, workers in ((6, 1000), (64, 3), (638, 1000)):
        build(config(inputs, tmp_path / f"{n}", workers=workers, limit=n))
    assert asked == [1, 3, 16]  # 6 pictures are one batch, 64 are four, 638 are forty


def command(inputs: Path, out: Path) -> list[str]:
    chosen = config(inputs, out)
    options = ("encoder", "sae", "out", "name", "device", "batch_size", "shard_size")
    given = [f"--images={chosen.images[0]}"]
    given += [f"--{option.replace('_', '-')}={getattr(chosen, option)}" for option in options]
    return [sys.executable, "-m", "index_builder", "build", "--workers=1", *given]


def kill_when(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> bool:
    """Kills the build alone, as soon as it has got so far; False where it was done before."""
    while process.poll() is None:
        if reached():
            process.kill()  # not its group: what it started must neither live on nor hold its lock
            process.wait()
            return True
        time.sleep(0.002)
    return False


def test_a_build_killed_at_several_places_ends_in_the_same_bytes(
    inputs: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "store"
    work = out.with_name("store.building")

    def has_shards(n: int) -> Callable[[], bool]:
        return lambda: len(list((work / "shards").glob("*.arrow"))) >= n

    places = [work.exists, has_shards(1), has_shards(9), (work / "store" / "codes").exists, out.exists]
    n_killed = 0
    for reached in places:
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command(inputs, out), cwd=REPOSITORY_ROOT, **pipes) as process:
            n_killed += kill_when(process, reached)
        if out.exists():  # whatever is there under the store's name is whole
            LatentStore.open(out)
    subprocess.run(command(inputs, out), cwd=REPOSITORY_ROOT, check=True, capture_output=True)
    assert n_killed >= 3
    assert contents(out) == contents(undisturbed)
    assert not work.exists()


STAGES = ["first batch", "third shard", "assembling", "figures", "hashing", "publishing", "cleaning up"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_build_that_dies_in_any_stage_resumes(
    inputs: Path, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """The same in one process, at exact places: the call named by the stage raises instead of returning."""
    places = {
        "first batch": ("index_builder.encode.collect", 1),
        "third shard": ("index_builder.shards.ShardWriter.commit", 3),
        "assembling": ("index_builder.assemble._Pictures.add", 5),
        "figures": ("index_builder.analysis.write_figures", 1),
        "hashing": ("index_builder.publish.file_info", 4),
        "publishing": ("index_builder.publish.write_atomically", 1),
        "cleaning up": ("index_builder.workdir.WorkDir.remove", 1),
    }
    target, nth = places[stage]
    owner_name, name = target.rsplit(".", 1)
    owner = pkgutil.resolve_name(owner_name)
    real, calls = getattr(owner, name), 0

    def dies(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    out = tmp_path / "store"
    monkeypatch.setattr(owner, name, dies)
    with pytest.raises(KeyboardInterrupt):
        build(config(inputs, out))
    assert out.exists() == (stage == "cleaning up")
    monkeypatch.setattr(owner, name, real)
    build(config(inputs, out))
    assert contents(out) == contents(undisturbed)
    assert not out.with_name("store.building").exists()


def test_finished_shards_are_not_encoded_again(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, real, n_batches = tmp_path / "store", encode_stage.collect, 0

    def counted(*args: object) -> object:
        nonlocal n_batches
        n_batches += 1
        if n_batches == 24:  # 4 batches a shard: the sixth shard is nearly done
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(encode_stage, "collect", counted)
    with pytest.raises(KeyboardInterrupt):
        build(config(inputs, out))
    n_batches = 100
    build(config(inputs, out))
    assert n_batches - 100 == 40 - 20  # 638 pictures are 40 batches, 5 shards of 4 were there


def test_a_damaged_shard_is_made_again(
    inputs: Path, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "store"
    monkeypatch.setattr("index_builder.build.assemble", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        build(config(inputs, out))
    monkeypatch.undo()
    shard = out.with_name("store.building") / "shards" / "000002.arrow"
    os.truncate(shard, shard.stat().st_size // 2)
    build(config(inputs, out))
    assert contents(out) == contents(undisturbed)


def test_other_settings_do_not_resume(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "store"
    monkeypatch.setattr("index_builder.build.assemble", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        build(config(inputs, out, limit=40))
    monkeypatch.undo()
    with pytest.raises(BuildError, match="batch_size was 16, is 8"):
        build(config(inputs, out, limit=40, batch_size=8))
    with pytest.raises(BuildError, match="precision was fp32, is bf16"):
        build(config(inputs, out, limit=40, precision="bf16"))


def test_a_finished_store_is_kept(inputs: Path, undisturbed: Path, tmp_path: Path) -> None:
    before = contents(undisturbed)
    build(config(inputs, undisturbed))
    assert contents(undisturbed) == before
    with pytest.raises(BuildError, match="finished store of other pictures"):
        build(config(inputs, undisturbed, limit=10))
    with pytest.raises(BuildError, match="was built in fp32"):
        build(config(inputs, undisturbed, precision="bf16"))
    with pytest.raises(BuildError, match="was built with --decode cpu"):
        build(config(inputs, undisturbed), lambda wanted: replace(load_models(wanted), decoder="gpu"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.md").touch()
    with pytest.raises(BuildError, match="is no store"):
        build(config(inputs, tmp_path / "mine"))


def test_an_empty_folder_is_a_place_and_a_link_to_nothing_is_none(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    build(config(inputs, tmp_path / "store", limit=3))
    assert (tmp_path / "store" / "manifest.json").is_file()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file.building").touch()
    for name, said in (("link", "is a link to nothing"), ("file", r"file\.building .* is no folder")):
        with pytest.raises(BuildError, match=said):
            build(config(inputs, tmp_path / name))


def test_a_store_among_the_pictures_is_no_source(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = make_folder(tmp_path / "pictures", 6)
    inside = config(inputs, pictures / "stores" / "mine", images=(str(pictures),))
    with monkeypatch.context() as patched:
        patched.setattr("index_builder.build.publish", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            build(inside)
    assert list((pictures / "stores").rglob("*.parquet")), "what an unfinished build has there"
    assert build(inside).n_images == 6
    caplog.set_level("INFO")
    assert build(inside).n_images == 6
    assert "already built from pictures of these names" in caplog.text
    assert f"--reuse {inside.out} and another --out take those that have" in caplog.text


HOLD_THE_LOCK = """
import sys
from pathlib import Path
from index_builder.workdir import WorkDir
with WorkDir(Path(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_builds_of_one_store_do_not_meet(inputs: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(tmp_path / "store")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=REPOSITORY_ROOT, **pipes) as other:  # type: ignore[call-overload]
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BuildError, match="another build"):
            build(config(inputs, tmp_path / "store"))


def test_what_another_build_published_meanwhile_is_not_built_again(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = config(inputs, tmp_path / "store", limit=12)

    def other(*_: object) -> None:
        monkeypatch.undo()
        build(wanted)
        monkeypatch.setattr("index_builder.engines.encode_shards", lambda *_, **__: pytest.fail("encoded again"))

    monkeypatch.setattr("index_builder.build._reused", other)
    assert build(wanted).n_images == 11
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_pictures_that_changed_do_not_resume(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, out = make_folder(tmp_path / "pictures", 6), tmp_path / "store"
    monkeypatch.setattr("index_builder.build.assemble", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        build(config(inputs, out, images=(str(pictures),)))
    monkeypatch.undo()
    next(pictures.rglob("*.png")).write_bytes(encoded(picture(99)[1]))
    with pytest.raises(BuildError, match=r"and the pictures have changed since it began: remove that folder"):
        build(config(inputs, out, images=(str(pictures),)))
    with pytest.raises(BuildError, match=r"\(the pictures have changed since it began; batch_size was 16, is 4\)"):
        build(config(inputs, out, images=(str(pictures),), batch_size=4))


def touched_while_read(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    real = encode_stage.collect

    def changed(*args: object) -> object:
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(encode_stage, "collect", changed)


def test_a_picture_of_a_folder_that_changes_meanwhile_is_told(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_folder(tmp_path / "pictures", 40)
    changes = sorted(folder.rglob("*.png"))[0]
    touched_while_read(monkeypatch, changes)
    assert build(config(inputs, tmp_path / "store", images=(str(folder),), batch_size=4)).n_images == 40
    assert f"{changes} has changed since it was listed: the store holds what was read" in caplog.text


@pytest.mark.parametrize("workers", [0, 1])
def test_a_tar_that_changes_while_it_is_read_is_not_published(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    tar, out = make_tar(tmp_path / "a.tar", 40), tmp_path / "store"
    wanted = config(inputs, out, images=(str(tar),), workers=workers, batch_size=4)
    touched_while_read(monkeypatch, tar)
    with pytest.raises(ChangedError) as caught:
        build(wanted)
    said = f"{tar} has changed since it was listed: once nothing writes there, remove {out}.building to start anew"
    assert str(caught.value) == said and not out.exists()
    monkeypatch.undo()
    with pytest.raises(BuildError, match="the pictures have changed since it began: remove that folder"):
        build(wanted)


def test_a_store_of_one_picture(inputs: Path, tmp_path: Path) -> None:
    pictures = make_folder(tmp_path / "pictures", 1)
    build(config(inputs, tmp_path / "store", images=(str(pictures),)))
    report = json.loads((tmp_path / "store" / "manifest.json").read_text(), parse_constant=pytest.fail)["report"]
    assert report["fvu"] is None and report["random_pair_cosine"] is None
    store = LatentStore.open(tmp_path / "store")
    assert np.isnan(store.manifest.report.fvu)
    assert defects_of(tmp_path / "store") == []


def test_odd_pictures_are_rows_or_rejects_never_the_end(inputs: Path, tmp_path: Path) -> None:
    pictures = make_folder(tmp_path / "pictures", 3)
    Image.new("RGB", (1, 20_000)).save(pictures / "thin.png")
    Image.new("RGB", (1, 1)).save(pictures / "dot.png")
    os.mkfifo(pictures / "pipe.png")
    (pictures / "nowhere.png").symlink_to(tmp_path / "gone.png")
    (pictures / "long.png").write_bytes(encoded(picture(1)[1]))
    (pictures / "long.txt").write_text("caption " * 100_000)
    manifest = build(config(inputs, tmp_path / "store", images=(str(pictures),)))
    assert manifest.n_images + manifest.n_rejected == 8
    assert manifest.n_rejected == 2  # the pipe and the link


def test_only_rejects_is_an_error_with_the_reason(inputs: Path, tmp_path: Path) -> None:
    make_folder(tmp_path / "bad", 3, dict.fromkeys(range(3), b"nothing"))
    with pytest.raises(BuildError, match="3 of 3 inputs were rejected, because the file is no picture"):
        build(config(inputs, tmp_path / "store", images=(str(tmp_path / "bad"),)))
    with pytest.raises(StoreError, match="no store"):
        LatentStore.open(tmp_path / "store")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name in ("a.jpg", "a.png", "b.txt", "c.left.jpg", "d.json"):
            tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(BuildError, match="3 of 4 inputs were rejected, for instance because the sample holds no pict"):
        build(config(inputs, tmp_path / "store-2", images=(str(tmp_path / "a.tar"),)))


def test_an_sae_of_another_width_is_refused(inputs: Path, tmp_path: Path) -> None:
    wide = save_sae(random_sae(d_embed=48), tmp_path / "wide")
    with pytest.raises(MismatchError, match="gives 32 numbers, the SAE takes 48"):
        build(config(inputs, tmp_path / "store", sae=str(wide)))


def test_embeddings_that_are_not_finite_are_rejects(inputs: Path, tmp_path: Path) -> None:
    def load(wanted: BuildConfig) -> Encoders:
        models = load_models(wanted)
        embed_pixels = models.clip.embed_pixels

        def with_a_hole(pixels: torch.Tensor) -> torch.Tensor:
            x = embed_pixels(pixels)
            x[2] = torch.nan
            return x

        models.clip.embed_pixels = with_a_hole  # type: ignore[method-assign]
        return models

    manifest = build(config(inputs, tmp_path / "store", limit=32), load)
    assert (manifest.n_images, manifest.n_rejected) == (
        32 - 2 - 2,
        2 + 2,
    )  # one in each of two batches, beside two broken files


def test_a_store_in_bf16_says_so_and_is_near_the_one_in_fp32(inputs: Path, undisturbed: Path, tmp_path: Path) -> None:
    build(config(inputs, tmp_path / "half", precision="bf16"))
    half, full = LatentStore.open(tmp_path / "half"), LatentStore.open(undisturbed)
    assert (half.manifest.encoder.precision, full.manifest.encoder.precision) == ("bf16", "fp32")
    assert half.manifest.encoder.fingerprint == full.manifest.encoder.fingerprint
    everyone = range(full.n_images)
    cosines = (half.embeddings(everyone) * full.embeddings(everyone)).sum(axis=1)
    assert 0.999 < np.median(cosines) < 1 - 1e-7
    assert defects_of(tmp_path / "half") == []


@pytest.mark.parametrize(
    ("seconds", "precision", "warned"),
    [((1.0, 1.6), "bf16", "0.62 of its speed in fp32"), ((1.0, 1.6), "fp32", ""), ((1.0, 0.5), "bf16", "")],
)
def test_bf16_that_is_slower_here_is_warned_of(
    seconds: tuple[float, float],
    precision: str,
    warned: str,
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    taken = dict(zip((torch.float32, torch.bfloat16), seconds, strict=True))
    noise = iter([3.0, 3.0, 1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0])  # the best of each counts
    monkeypatch.setattr(bf16, "product_seconds", lambda dtype: taken[dtype] * next(noise))
    load_models(config(inputs, inputs / "unused", precision=precision))
    assert ("slower in bf16" in caplog.text) == bool(warned)
    assert warned in caplog.text


def test_what_bf16_gains_is_measured() -> None:
    assert bf16.product_seconds(torch.bfloat16) > 0
    assert 0.01 < bf16.bf16_gain() < 100


def test_large_jpegs_decoded_smaller_keep_their_sizes_and_nearly_their_embeddings(inputs: Path, tmp_path: Path) -> None:
    for number in range(12):
        label, image = picture(number, (640, 480))
        path = tmp_path / "large" / label / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(image, "JPEG", quality=92))
    stores = {}
    for decoder in ("cpu", "reduced"):
        build(config(inputs, tmp_path / decoder, images=(str(tmp_path / "large"),), decode=decoder, thumbnails=96))
        stores[decoder] = LatentStore.open(tmp_path / decoder)
        assert stores[decoder].manifest.encoder.decoder == decoder
    whole, reduced = stores["cpu"], stores["reduced"]
    assert {(row.width, row.height) for row in reduced.images(range(12))} == {(640, 480)}
    cosines = (whole.embeddings(range(12)) * reduced.embeddings(range(12))).sum(axis=1)
    assert 0.99 < cosines.min() < 1 - 1e-6, "near, and not the same"
    for image_id in range(12):
        kept = reduced.thumbnail(image_id)
        assert kept is not None and Image.open(io.BytesIO(kept.data)).size == (96, 72)
    assert defects_of(tmp_path / "reduced") == []


def test_labels_that_hardly_repeat_are_told_before_a_folder_is_encoded(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said = "110 labels for 110 labelled pictures: labels that hardly repeat"
    for number in range(110):
        path = tmp_path / "pictures" / "train" / f"own {number}" / "picture.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(encoded(picture(number)[1]))
    asked = config(inputs, tmp_path / "store", images=(str(tmp_path / "pictures"),))
    real, told = build_module.run_engine, []

    def encode(*given: Any) -> None:
        told.append(said in caplog.text)
        real(*given)

    monkeypatch.setattr(build_module, "run_engine", encode)
    build(asked)
    assert told == [True]
    assert caplog.text.count("labels that hardly repeat") == 1


def test_a_store_can_be_built_without_pictures(inputs: Path, tmp_path: Path) -> None:
    build(config(inputs, tmp_path / "store", limit=20, thumbnails="none"))
    store = LatentStore.open(tmp_path / "store")
    assert not store.has_thumbnails and store.thumbnail(0) is None
    assert store.manifest.thumbnail_side is None


def test_no_path_of_the_machine_is_in_a_store(inputs: Path, undisturbed: Path) -> None:
    manifest = json.loads((undisturbed / "manifest.json").read_text())
    assert manifest["source"]["name"] == "pictures"
    del manifest["encoder"]["ref"]  # what the person typed: needed to load the encoder again
    assert str(inputs) not in json.dumps(manifest)


@settings(max_examples=60)
@given(n=st.integers(1, 300), shard=st.integers(1, 70), batch=st.integers(1, 70))
def test_a_plan_covers_every_slot_once_and_no_batch_crosses_a_shard(n: int, shard: int, batch: int) -> None:
    plan = Plan(n, shard, batch)
    batches = [slots for number in range(plan.n_shards) for slots in plan.batches(number)]
    assert [slot for slots in batches for slot in slots] == list(range(n))
    assert plan.n_batches == len(batches)
    assert all(len(slots) <= batch and slots[0] // shard == slots[-1] // shard for slots in batches)


def test_batches_are_full_however_the_shards_were_cut(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sae_core.store.layout.ROWS_PER_BATCH", 50)
    build(config(inputs, tmp_path / "store", limit=200, shard_size=30))
    with pa.ipc.open_file(str(tmp_path / "store" / "images.arrow")) as reader:
        sizes = [reader.get_batch(number).num_rows for number in range(reader.num_record_batches)]
    assert sizes[:-1] == [50, 50, 50] and 0 < sizes[-1] <= 50
    store = LatentStore.open(tmp_path / "store")
    assert [record.source_key for record in store.images([0, 49, 50, 149, 150])] == [
        store.image(number).source_key for number in (0, 49, 50, 149, 150)
    ]


def test_rejects_are_the_same_bytes_however_the_shards_were_cut(tmp_path: Path) -> None:
    some = [Reject(f"{number:02d}.png", "decode", "empty", "the file is empty") for number in range(23)]

    def written(shard_size: int) -> Path:
        root = tmp_path / f"{shard_size}"
        root.mkdir()
        rows = RejectRows(root)
        for start in range(0, len(some), shard_size):
            rows.add(some[start : start + shard_size])
        rows.close()
        assert rows.n == 23
        return root / "rejects.parquet"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sae_core.store.layout.ROWS_PER_BATCH", 10)
        files = [written(size) for size in (1, 7, 10, 23)]
    assert len({path.read_bytes() for path in files}) == 1
    found = pq.ParquetFile(files[0])
    assert [found.metadata.row_group(group).num_rows for group in range(found.num_row_groups)] == [10, 10, 3]
    assert found.read().to_pylist() == [reject._asdict() for reject in some]


def test_a_store_s_rejects_do_not_depend_on_the_shard_size(inputs: Path, undisturbed: Path, tmp_path: Path) -> None:
    build(config(inputs, tmp_path / "store", shard_size=200))
    assert (tmp_path / "store" / "rejects.parquet").read_bytes() == (undisturbed / "rejects.parquet").read_bytes()
