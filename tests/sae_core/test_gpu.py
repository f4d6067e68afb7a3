"""What runs on a GPU gives what the CPU gives. Skipped, with the reason, where there is none."""

from __future__ import annotations

import io
from pathlib import Path

import faiss
import numpy as np
import pytest
import torch
from PIL import Image

from index_builder import encode as encode_stage
from index_builder.build import build
from index_builder.config import BuildConfig
from sae_core import ClipEncoder, LatentStore
from sae_core.encoder.preprocessing import Preprocessing
from sae_core.encoder.resampling import Wanted, resample, resampled
from sae_core.sae.checkpoint import save_sae
from sae_core.store import gpu_search
from sae_core.store.search import on_gpu_of_each
from sae_core.training.config import TrainConfig
from sae_core.training.trainer import train_sae
from tests.support.models import make_tiny_clip, random_sae
from tests.support.pictures import encoded, picture
from tests.support.stores import make_store

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU on this machine")


@needs_gpu
def test_codes_on_the_gpu_are_those_of_the_cpu() -> None:
    sae, x = random_sae(64, 512, 8), torch.nn.functional.normalize(torch.randn(200, 64), dim=1)
    here = sae.encode(x)
    there = sae.to("cuda").encode(x.cuda())
    torch.testing.assert_close(there.activations.cpu(), here.activations, atol=1e-4, rtol=1e-4)
    assert (there.indices.cpu() == here.indices).float().mean() > 0.99
    torch.testing.assert_close(sae.decode(there).cpu(), sae.cpu().decode(here), atol=1e-3, rtol=1e-3)


@needs_gpu
def test_embeddings_on_the_gpu_are_those_of_the_cpu(tmp_path: Path) -> None:
    reference = make_tiny_clip(tmp_path / "clip")
    images = [picture(number)[1] for number in range(40)]
    here, there = (ClipEncoder.load(reference, device).encode_images(images) for device in ("cpu", "cuda"))
    assert there.device.type == "cpu"
    assert torch.cosine_similarity(here, there).min() > 0.9999


@needs_gpu
def test_a_store_built_on_the_gpu(tmp_path: Path) -> None:
    make_store(tmp_path / "cpu", 40)
    inputs = tmp_path / "cpu.inputs"
    config = BuildConfig(
        images=(str(inputs / "pictures.tar"),),
        encoder=f"local-dir:{inputs / 'clip'}",
        sae=str(inputs / "sae"),
        out=tmp_path / "gpu",
        device="cuda",
    )
    build(config)
    here, there = LatentStore.open(tmp_path / "cpu"), LatentStore.open(tmp_path / "gpu")
    assert there.manifest.report.cosine == pytest.approx(here.manifest.report.cosine, abs=1e-3)


@needs_gpu
def test_training_on_the_gpu() -> None:
    x = torch.nn.functional.normalize(torch.randn(500, 16), dim=1)
    sae = train_sae(x, TrainConfig(n_latents=32, k=4, steps=50, batch_size=128), device="cuda")
    assert sae.W_dec.device.type == "cpu"


def jpegs_of(folder: Path, n: int) -> Path:
    """JPEGs of several sizes, one of them broken behind its header, one turned, one PNG."""
    folder.mkdir(parents=True)
    for number in range(n):
        data = encoded(picture(number, (90 + number % 7, 120 - number % 5))[1], "JPEG", quality=92)
        (folder / f"{number:04d}.jpg").write_bytes(data)
    whole = (folder / "0003.jpg").read_bytes()
    (folder / "0003.jpg").write_bytes(whole[: len(whole) // 2] + b"\xff\xd9")
    (folder / "0004.png").write_bytes(encoded(picture(4)[1]))
    (folder / "0005.jpg").write_bytes(b"\xff\xd8 nothing \xff\xd9")
    return folder


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gpu")
    jpegs_of(root / "jpegs", 100)
    make_tiny_clip(root / "clip")
    save_sae(random_sae(), root / "sae")
    return root


def job(inputs: Path, out: Path, **asked: object) -> BuildConfig:
    plain: dict[str, object] = {"device": "cuda", "batch_size": 8, "shard_size": 16, "workers": 2}
    where = ((str(inputs / "jpegs"),), f"local-dir:{inputs / 'clip'}", str(inputs / "sae"), out)
    return BuildConfig(*where, name="pictures", **plain | asked)  # type: ignore[arg-type]


@needs_gpu
@pytest.mark.parametrize("asked", [{}, {"precision": "fp16"}, {"precision": "fp16", "decode": "gpu"}])
def test_fast_ways_index_the_same_pictures_with_nearly_the_same_embeddings(
    inputs: Path, tmp_path: Path, asked: dict[str, object]
) -> None:
    build(job(inputs, tmp_path / "cpu", device="cpu", workers=0))
    build(job(inputs, tmp_path / "gpu", **asked))
    here, there = LatentStore.open(tmp_path / "cpu"), LatentStore.open(tmp_path / "gpu")
    assert (there.n_images, there.manifest.n_rejected) == (here.n_images, here.manifest.n_rejected)
    ids = range(here.n_images)
    assert [a.sha256 for a in here.images(ids)] == [b.sha256 for b in there.images(ids)]
    cosines = (here.embeddings(ids) * there.embeddings(ids)).sum(1)
    assert np.median(cosines) > 0.999
    for image_id in (0, 50):
        thumbnails = [store.thumbnail(image_id) for store in (here, there)]
        a, b = (np.asarray(Image.open(io.BytesIO(found.data)), dtype=int) for found in thumbnails if found)
        assert a.shape == b.shape and np.abs(a - b).mean() < 8


@needs_gpu
@pytest.mark.parametrize("asked", [{"decode": "gpu", "precision": "fp16", "compile": "yes"}, {"decode": "gpu"}])
def test_a_stopped_build_on_a_gpu_ends_in_the_same_bytes(
    inputs: Path, tmp_path: Path, asked: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    build(job(inputs, tmp_path / "one", **asked))
    real, n = encode_stage.collect, 0

    def stops(*given: object) -> int:
        nonlocal n
        n += 1
        if n == 9:
            raise KeyboardInterrupt
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(encode_stage, "collect", stops)
    with pytest.raises(KeyboardInterrupt):
        build(job(inputs, tmp_path / "two", **asked))
    assert len(list((tmp_path / "two.building" / "shards").glob("*.arrow"))) >= 2
    n = -1_000
    build(job(inputs, tmp_path / "two", **asked))
    assert not differing(tmp_path / "one", tmp_path / "two")


@needs_gpu
def test_processes_side_by_side_on_one_gpu_end_in_the_same_bytes(inputs: Path, tmp_path: Path) -> None:
    for n in (1, 2):
        build(job(inputs, tmp_path / str(n), decode="gpu", precision="fp16", encoders=n))
    assert not differing(tmp_path / "1", tmp_path / "2")


def differing(one: Path, other: Path) -> list[str]:
    """Files that differ, and pictures whose embeddings do."""
    names = [str(path.relative_to(one)) for path in one.rglob("*") if path.is_file()]
    here, there = (np.load(store / "embeddings.npy") for store in (one, other))
    pictures = [f"picture {number}" for number in np.flatnonzero((here != there).any(axis=1))]
    return [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()] + pictures


@needs_gpu
def test_resampling_on_the_gpu_is_that_of_the_cpu() -> None:
    canvas = torch.randint(0, 256, (3, 3, 300, 400), dtype=torch.uint8)
    sizes = [(400, 300), (211, 300), (400, 77)]
    frames = [Preprocessing(resize=256, crop=224, mean=(0,) * 3, std=(1,) * 3).frame(*size) for size in sizes]
    here, there = (resampled(canvas.to(device), sizes, frames, "bicubic").cpu().int() for device in ("cpu", "cuda"))
    assert (here - there).abs().max() <= 2 and (here - there).abs().float().mean() < 0.1


@needs_gpu
def test_the_resampling_kernel_does_what_pytorchs_operations_do() -> None:
    from sae_core.encoder import resampling_kernel

    sizes = [(400, 300), (211, 300), (400, 77), (60, 500), (3_000, 40)]
    pictures = [torch.randint(0, 256, (3, height, width), dtype=torch.uint8) for width, height in sizes]
    frames = [Preprocessing(resize=256, crop=224, mean=(0,) * 3, std=(1,) * 3).frame(*size) for size in sizes]
    here, there = (torch.zeros(5, 224, 224, 3, dtype=torch.uint8, device=device) for device in ("cpu", "cuda"))
    resample(pictures, [Wanted(frames, "bicubic", here)])
    resampling_kernel.resample([picture.cuda() for picture in pictures], [Wanted(frames, "bicubic", there)])
    for number, frame in enumerate(frames):
        width, height = frame.size
        off = (here[number, :height, :width].int() - there[number, :height, :width].cpu().int()).abs()
        assert off.max() <= 1


@needs_gpu
def test_a_compiled_encoder_gives_the_same_embeddings(inputs: Path) -> None:
    pixels = torch.randint(0, 256, (19, 32, 32, 3), dtype=torch.uint8)
    plain = ClipEncoder.load(f"local-dir:{inputs / 'clip'}", "cuda", "fp16")
    compiled = ClipEncoder.load(f"local-dir:{inputs / 'clip'}", "cuda", "fp16")
    assert compiled.compile(8)
    assert torch.cosine_similarity(compiled.encode_pixels(pixels), plain.encode_pixels(pixels)).min() > 0.9999


@pytest.mark.skipif(faiss.get_num_gpus() == 0, reason="FAISS sees no GPU on this machine")
def test_faiss_on_the_gpu_agrees_with_a_matrix_product() -> None:
    x = np.random.default_rng(0).normal(size=(5_000, 64)).astype(np.float32)
    index = faiss.IndexFlatIP(64)
    index.add(x)
    on_gpu = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    similarities, _ = on_gpu.search(x[:50], 10)
    np.testing.assert_allclose(similarities, -np.sort(-(x[:50] @ x.T), axis=1)[:, :10], rtol=1e-3)


@pytest.mark.skipif(faiss.get_num_gpus() == 0, reason="FAISS sees no GPU on this machine")
def test_a_store_is_searched_on_the_gpu_with_the_same_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LatentStore.open(make_store(tmp_path / "store", 60))
    assert store._on_gpu is not None
    there = [store.nearest_images(store.embedding(image_id), 10) for image_id in range(20)]
    monkeypatch.setattr(gpu_search, "gpu_holds", lambda _: False)
    store = LatentStore.open(tmp_path / "store")
    assert store._on_gpu is None
    for image_id, found in enumerate(there):
        here = store.nearest_images(store.embedding(image_id), 10)
        np.testing.assert_allclose(found.similarities, here.similarities, atol=1e-5)
        assert len(set(here.ids) & set(found.ids)) >= 9  # the tenth may have an equal


def test_what_a_gpu_names_is_measured_and_ordered_by_the_cpu() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)

    class Rough:
        def search(self, queries: np.ndarray, n: int) -> np.ndarray:
            """The right ones in another order."""
            return np.random.default_rng(1).permuted(np.argsort(-(queries @ vectors.T), axis=1)[:, :n], axis=1)

    of_each = on_gpu_of_each(Rough(), vectors, vectors[[7, 30]], 9)  # type: ignore[arg-type]
    for row, found in zip((7, 30), of_each, strict=True):
        cosines = vectors @ vectors[row]
        assert found.ids.tolist() == np.argsort(-cosines)[:9].tolist()
        np.testing.assert_allclose(found.similarities, cosines[found.ids], rtol=1e-6)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_store_is_searched_on_the_cpu_without_a_gpu(tmp_path: Path) -> None:
    assert LatentStore.open(make_store(tmp_path / "store", 20))._on_gpu is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_faiss_gpu_is_fine_without_a_gpu() -> None:
    assert faiss.get_num_gpus() == 0
    with pytest.raises((RuntimeError, AttributeError)):
        faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, faiss.IndexFlatIP(8))
