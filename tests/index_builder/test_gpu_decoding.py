"""What is left to a GPU decoder, and what a batch looks like afterwards; here the decoder is torchvision's on a CPU."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from index_builder import encode as encode_stage
from index_builder import jpegs, preparing, stages
from index_builder.ahead import Clock, ahead
from index_builder.build import build, load_models
from index_builder.config import BuildConfig
from index_builder.decode import DecodedBatch, SlotDataset
from index_builder.encode import encode_shards
from index_builder.jpegs import JpegStage, plain_size
from index_builder.pipeline import collect
from index_builder.plan import Encoders, Plan
from index_builder.shards import Shard
from index_builder.sources import open_source
from index_builder.stages import default_workers, one_thread_beside
from index_builder.workdir import WorkDir
from sae_core import ClipEncoder
from sae_core.encoder import resampling
from sae_core.encoder.preprocessing import Decoder, Preprocessing
from sae_core.errors import BuildError
from sae_core.pictures import open_picture
from sae_core.sae.checkpoint import save_sae
from sae_core.thumbnails import thumbnail_size
from tests.support.models import make_tiny_clip, random_sae
from tests.support.pictures import encoded, picture

PREPROCESSING = Preprocessing(resize=40, crop=32, mean=(0.5,) * 3, std=(0.5,) * 3)
CPU = torch.device("cpu")


def jpeg(number: int = 0, size: tuple[int, int] = (80, 60), **options: object) -> bytes:
    return encoded(picture(number, size)[1], "JPEG", quality=92, **options)


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(exif=exif.tobytes())


def scan_by_scan() -> bytes:
    """The header of a JPEG whose first scan has one colour only, as those have that were not interleaved."""
    data = jpeg()
    start = data.index(b"\xff\xda")
    return data[:start] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + data[start + 14 :]


def odd_ones() -> dict[str, bytes]:
    """What the workers decode, by its reason."""
    grey, four = picture(1)[1].convert("L"), picture(1)[1].convert("CMYK")
    return {
        "png": encoded(picture(1)[1]),
        "grey": encoded(grey, "JPEG"),
        "cmyk": encoded(four, "JPEG"),
        "progressive": jpeg(progressive=True),
        "turned": turned(),
        "turned by XMP": jpeg(xmp=b'<rdf:Description tiff:Orientation="6"/>'),
        "a scan for each colour": scan_by_scan(),
        "cut off": jpeg()[:-200],
        "ends too early": jpeg()[: len(jpeg()) // 2] + b"\xff\xd9",
        "nothing": b"",
        "a lie": b"\xff\xd8 no picture \xff\xda \xff\xd9",
        "too large": jpeg(size=(jpegs.MOST_SIDE + 8, 40)),
    }


def test_plain_jpegs_are_left_to_the_gpu() -> None:
    upright = Image.Exif()
    upright[0x0112] = 1
    kinds = (jpeg(), jpeg(exif=upright.tobytes()), jpeg(subsampling=0), jpeg(subsampling=2), jpeg(comment=jpeg()))
    for data in kinds:  # the last has another JPEG in a comment, as photographs have a small one
        assert plain_size(data, PREPROCESSING) == (80, 60)


@pytest.mark.parametrize("reason", list(odd_ones()))
def test_anything_else_is_not(reason: str) -> None:
    assert plain_size(odd_ones()[reason], PREPROCESSING) is None


def test_a_picture_that_leaves_a_border_is_not() -> None:
    longest = Preprocessing(resize=32, crop=32, mode="longest", mean=(0,) * 3, std=(1,) * 3)
    assert plain_size(jpeg(size=(60, 60)), longest) == (60, 60)
    assert plain_size(jpeg(), longest) is None


@pytest.mark.parametrize("canvas", [2**25, 70 * 200, 1])
def test_crops_are_the_workers_and_thumbnails_have_their_sizes(canvas: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_CANVAS", canvas)
    sizes = [(80, 60), (33, 200), (64, 64), (300, 50), (40, 40)]
    data = [jpeg(number, size) for number, size in enumerate(sizes)]
    made = JpegStage(PREPROCESSING, 48, CPU)([torch.frombuffer(bytearray(one), dtype=torch.uint8) for one in data])
    assert made.small is not None and made.small_sizes == [thumbnail_size(size, 48) for size in sizes]
    for number, one in enumerate(data):
        rgb = open_picture(one).rgb
        crop = PREPROCESSING.crop_pixels(rgb).astype(int)
        assert np.abs(made.crops[number].numpy() - crop).mean() < 1
        width, height = made.small_sizes[number]
        small = np.asarray(rgb.resize((width, height), Image.Resampling.BICUBIC), dtype=int)
        assert np.abs(made.small[number, :height, :width].numpy() - small).mean() < 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plain JPEGs, odd ones, and one whose data is broken in a way that only decoding shows."""
    root = tmp_path_factory.mktemp("pictures")
    for number in range(20):
        (root / f"plain-{number:02d}.jpg").write_bytes(jpeg(number, (60 + 3 * number, 90 - number)))
    for reason, data in odd_ones().items():
        (root / f"odd-{reason}.jpg").write_bytes(data)
    return root


def shards_of(folder: Path, out: Path, decoder: str, thumbnail_side: int = 48) -> list[Shard]:
    clip = ClipEncoder.load(make_tiny_clip(out / "clip"))
    source, work = open_source(str(folder)), WorkDir(out / "store")
    plan, done = Plan(len(source.keys), 16, 8), []
    with work.locked():
        encode_shards(
            source,
            plan,
            work,
            Encoders(clip, random_sae(), decoder),  # type: ignore[arg-type]
            thumbnail_side=thumbnail_side,
            workers=0,
            progress=lambda n, rejects: done.append((n, rejects)),
        )
    assert sum(n for n, _ in done) == len(source.keys)
    return [Shard(work.shard_path(number)) for number in range(plan.n_shards)]


def thumbnails(shard: Shard) -> list[bytes]:
    runs = ((data, np.cumsum([0, *sizes])) for data, sizes in shard.thumbnails())
    return [bytes(data[start:stop]) for data, ends in runs for start, stop in pairwise(ends)]


def compare(one: list[Shard], other: list[Shard]) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.rejects == b.rejects
        for name in ("slot", "source_key", "width", "height", "sha256"):
            assert a.pictures[name].to_pylist() == b.pictures[name].to_pylist()
        assert (a.embeddings * b.embeddings).sum(1).min() > 0.995
        for here, there in zip(thumbnails(a), thumbnails(b), strict=True):
            assert Image.open(io.BytesIO(here)).size == Image.open(io.BytesIO(there)).size


def test_a_build_has_the_same_rows_rejects_and_nearly_the_same_embeddings(folder: Path, tmp_path: Path) -> None:
    on_gpu, on_cpu = (shards_of(folder, tmp_path / decoder, decoder) for decoder in ("gpu", "cpu"))
    assert sum(len(shard.rejects) for shard in on_cpu) == 3
    compare(on_gpu, on_cpu)


def test_a_stopped_build_whose_stages_are_threads_ends_in_the_same_bytes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As beside a GPU, here with the decoder and the operations of a CPU."""

    names: list[str] = []

    def beside(items: Iterator[object], name: str) -> Iterator[object]:
        names.append(name)
        return ahead(items, name)

    def gpus(config: BuildConfig) -> Encoders:
        return replace(load_models(config), decoder="gpu")

    monkeypatch.setattr(stages, "in_turns", beside)
    clip, sae = make_tiny_clip(tmp_path / "clip"), save_sae(random_sae(), tmp_path / "sae")
    asked = {"device": "cpu", "workers": 2, "batch_size": 4, "shard_size": 8, "name": "pictures"}
    jobs = [BuildConfig((str(folder),), clip, str(sae), tmp_path / name, **asked) for name in ("one", "two")]  # type: ignore[arg-type]
    build(jobs[0], gpus)
    assert names == ["load", "decode", "shrink", "encode", "finish"]
    n_collected = 0

    def stops(*given: object) -> int:
        nonlocal n_collected
        n_collected += 1
        if n_collected == 6:
            raise KeyboardInterrupt
        return collect(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(encode_stage, "collect", stops)
    with pytest.raises(KeyboardInterrupt):
        build(jobs[1], gpus)
    assert len(list((tmp_path / "two.building" / "shards").glob("*.arrow"))) == 2
    monkeypatch.setattr(encode_stage, "collect", collect)
    build(jobs[1], gpus)
    made = [{path.relative_to(job.out): path.read_bytes() for path in job.out.rglob("*.*")} for job in jobs]
    assert made[0] == made[1]


def test_without_thumbnails_there_are_none(folder: Path, tmp_path: Path) -> None:
    assert all(data == b"" for shard in shards_of(folder, tmp_path, "gpu", 0) for data in thumbnails(shard))


def test_a_batch_that_cannot_be_decoded_is_decoded_by_the_cpu(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[torch.Tensor]:
        raise RuntimeError("nvjpegDecode failed")

    on_cpu = shards_of(folder, tmp_path / "cpu", "cpu")
    monkeypatch.setattr(preparing, "decode", broken)
    on_gpu = shards_of(folder, tmp_path / "gpu", "gpu")
    compare(on_gpu, on_cpu)
    for a, b in zip(on_gpu, on_cpu, strict=True):
        assert thumbnails(a) == thumbnails(b)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"decode": "gpu"}, "--decode gpu"),
        ({"precision": "fp16"}, "--precision fp16"),
        ({"batch_size": 0}, "batch-size"),
    ],
)
def test_what_needs_a_gpu_is_refused_without_one(asked: dict[str, object], said: str) -> None:
    with pytest.raises(BuildError, match=said):
        BuildConfig(("x",), "demo", "demo", Path("out"), device="cpu", **asked).resolved_device()  # type: ignore[arg-type]


def test_ahead_keeps_order_and_stays_ahead_but_not_far() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            yield number

    coming = ahead(items(), n=3)
    assert next(coming) == 0
    assert len(made) <= 5  # the one that was taken, three that wait, one in the making
    assert list(coming) == list(range(1, 10))
    assert threading.active_count() < 20


def test_an_error_ahead_comes_out_where_it_belongs() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(coming)


@pytest.mark.parametrize(("decoder", "n_beside", "n"), [("cpu", 1, 15), ("gpu", 1, 10), ("gpu", 3, 3), ("gpu", 99, 1)])
def test_processes_beside_one_another_share_the_cores(
    decoder: Decoder, n_beside: int, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "n_cores", lambda: 16)
    clip = SimpleNamespace(device=torch.device("cuda"))
    assert default_workers(Encoders(clip, random_sae(), decoder), n_beside) == n  # type: ignore[arg-type]
    clip.device = CPU
    assert default_workers(Encoders(clip, random_sae(), decoder), n_beside) == 0  # type: ignore[arg-type]


def test_beside_a_gpu_pytorchs_threads_on_the_cpu_are_one() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread_beside(torch.device("cuda")), ThreadPoolExecutor(1) as another:
            assert (torch.get_num_threads(), another.submit(torch.get_num_threads).result()) == (1, 1)
        assert torch.get_num_threads() == 3
        with one_thread_beside(CPU):
            assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


class Unspawnable(SlotDataset):
    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("only a forked process has it")


@pytest.mark.skipif(sys.platform != "linux", reason="worker processes are forked on Linux only")
def test_reading_processes_are_forked_under_a_spawned_one_too(folder: Path) -> None:
    """A spawned process starts its own by spawning, which takes ten seconds for each run of shards."""
    was = multiprocessing.get_start_method()
    multiprocessing.set_start_method("spawn", force=True)
    try:
        batches = list(stages.loaded(Unspawnable(open_source(str(folder)), PREPROCESSING, 0), [[0, 1], [2]], 2))
    finally:
        multiprocessing.set_start_method(was, force=True)
    assert [batch.n_slots for batch in batches] == [2, 1]


class Interrupted(SlotDataset):
    def __getitems__(self, slots: list[int]) -> DecodedBatch:
        os.kill(os.getpid(), signal.SIGINT)  # as a terminal's Ctrl-C, which reaches every process
        return super().__getitems__(slots)


def test_reading_processes_leave_ctrl_c_to_their_parent(folder: Path) -> None:
    """One that ended by it would keep its parent waiting, five seconds for each."""
    batches = list(stages.loaded(Interrupted(open_source(str(folder)), PREPROCESSING, 0), [[0, 1], [2]], 2))
    assert [batch.n_slots for batch in batches] == [2, 1]


def test_a_clock_tells_a_stages_own_time_from_its_waiting() -> None:
    def slow(items: Iterator[int], seconds: float) -> Iterator[int]:
        for item in items:
            time.sleep(seconds)
            yield item

    first, second = Clock(), Clock()
    assert list(ahead(slow(ahead(slow(iter(range(8)), 0.02), clock=first), 0), clock=second)) == list(range(8))
    assert first.taken >= 0.16, "it sleeps"
    assert second.taken >= first.waited > 0, "it waits for the first, and does nothing else"
