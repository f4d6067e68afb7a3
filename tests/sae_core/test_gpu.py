"""What runs on a GPU gives what the CPU gives. Skipped, with the reason, where there is none."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest
import torch

from index_builder.build import build
from index_builder.config import BuildConfig
from sae_core import ClipEncoder, LatentStore
from sae_core.training.config import TrainConfig
from sae_core.training.trainer import train_sae
from tests.support.models import make_tiny_clip, random_sae
from tests.support.pictures import picture
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
        images=str(inputs / "pictures.tar"),
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


@pytest.mark.skipif(faiss.get_num_gpus() == 0, reason="FAISS sees no GPU on this machine")
def test_faiss_on_the_gpu_agrees_with_a_matrix_product() -> None:
    x = np.random.default_rng(0).normal(size=(5_000, 64)).astype(np.float32)
    index = faiss.IndexFlatIP(64)
    index.add(x)
    on_gpu = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    similarities, _ = on_gpu.search(x[:50], 10)
    np.testing.assert_allclose(similarities, -np.sort(-(x[:50] @ x.T), axis=1)[:, :10], rtol=1e-3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_faiss_gpu_is_fine_without_a_gpu() -> None:
    assert faiss.get_num_gpus() == 0
    with pytest.raises((RuntimeError, AttributeError)):
        faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, faiss.IndexFlatIP(8))
