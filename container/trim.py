"""Takes what only a GPU uses out of the packages of the CPU image.

PyTorch from the registry is the CUDA build, and its CPU half is linked to the CUDA libraries: without them it cannot be
imported. But many of the files beside those are never opened on a CPU. So the process does a CPU's work, asks the
system which libraries it has mapped, and deletes the others. From PyTorch's CPU index there is nothing to delete.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import faiss
import numpy as np
import torch
from torchvision.transforms.v2 import functional


def main() -> None:
    """Deletes, and says how much."""
    _work_as_on_a_cpu()
    packages = Path(torch.__file__).parents[1]
    in_use = _mapped_files()
    unused = [path for path in (packages / "nvidia").rglob("*") if path.is_file() and path.resolve() not in in_use]
    # The compiler of GPU kernels, and C++ headers.
    folders = [packages / name for name in ("triton", "torch/include", "torch/share")]
    unused += [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    freed = sum(path.stat().st_size for path in unused if not path.is_symlink())
    for path in unused:
        path.unlink()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"trimmed {len(unused):,} files, {freed / 1e9:.2f} GB")


def _work_as_on_a_cpu() -> None:
    weights = torch.randn(8, 3, 4, 4, requires_grad=True)
    pixels = functional.resize(torch.rand(1, 3, 48, 64), [32, 32], antialias=True)
    seen = torch.nn.functional.conv2d(pixels, weights).flatten(2).mT
    torch.nn.functional.scaled_dot_product_attention(seen, seen, seen).sum().backward()
    torch.linalg.svd(seen.detach())
    index = faiss.IndexFlatIP(8)
    index.add(np.ones((4, 8), np.float32))
    index.search(np.ones((1, 8), np.float32), 1)


def _mapped_files() -> set[Path]:
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {Path(line.split(maxsplit=5)[5]) for line in lines if len(line.split(maxsplit=5)) == 6}


if __name__ == "__main__":
    main()
