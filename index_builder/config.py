"""What a build is asked to do. Field comments are the CLI's help."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sae_core.encoder.preprocessing import Decoder, Precision
from sae_core.errors import BuildError

Device = Literal["auto", "cpu", "cuda"]
_MOST_MEMORY = 2**20  # GiB
_COMPILED_FROM = 200_000  # pictures: compiling takes ten seconds, in which a large GPU encodes 70,000


@dataclass(frozen=True)
class BuildConfig:
    """Run images through CLIP and an SAE, and publish a latent store. Run it again to resume."""

    images: tuple[str, ...]
    """A folder of pictures, WebDataset tars or Parquet files; one such file, several, a pattern of them, or
    hf://ORG/NAME."""
    encoder: str
    """demo, a preset (imagenet-vitb16), MODEL:TAG, hf-hub:ORG/REPO, or local-dir:FOLDER."""
    sae: str
    """demo, a preset (imagenet-vitb16), a hub id, a folder, or the authors' .pt file; also of SAELens, overcomplete and
    MSAE (docs/saes.md)."""
    out: Path
    """The store to write; it appears, whole, when the build is done."""
    k: int | None = None
    """Latents kept per picture where the checkpoint does not say; at most so many (64) where it has thresholds."""
    name: str | None = None
    """What people call this store; the folder's name by default."""
    device: Device = "auto"
    """Where CLIP and the SAE run; auto takes CUDA where there is one."""
    precision: Precision = "fp32"
    """What pictures are encoded in; bf16 is over twice as fast where the processor or GPU has it, at a cosine of 0.999
    to fp32, fp16 on a GPU several times, closer (docs/performance.md). Texts and uploads stay in fp32."""
    decode: Decoder = "cpu"
    """How JPEGs are decoded: whole (cpu), no larger than needed (reduced: faster for those of over 900 pixels), or by a
    GPU, which also crops and shrinks them (gpu: several times as fast). Those two differ slightly from the first
    (docs/performance.md)."""
    compile: Literal["auto", "yes", "no"] = "auto"
    """Whether the encoder is compiled for a GPU, which takes seconds and saves a third; auto: from 200,000 pictures."""
    workers: int | None = None
    """Processes that decode beside the encoder, at most eight a core; 0: decode between its batches, on all cores. By
    default 0 on a CPU, on a GPU one a core, less one."""
    batch_size: int | None = None
    """Pictures encoded together; by default 64 on a CPU, 128 on a GPU."""
    encoders: int = 1
    """Processes that encode side by side on one GPU, each with its own models and its share of the decoding ones."""
    limit: int | None = None
    """Only the first N pictures of the source."""
    thumbnails: Literal["none"] | int = 256
    """Longer side of the stored thumbnails in pixels; none: a store without pictures, for those that may not be
    shared."""
    reuse: Path | None = None
    """A published store of the same encoder: what it has, of the same name and bytes, is not encoded again."""
    shard_size: int = 1024
    """Pictures between two points that a killed build resumes from."""
    engine: Literal["local", "ray"] = "local"
    """Where pictures are encoded: here, or on the machines of a Ray cluster that all see --out (docs/cluster.md)."""
    memory: float = 2.0
    """GiB in which galleries are sorted; longer ones go through the disk."""

    def __post_init__(self) -> None:
        check_utf8("--out", self.out)
        check_utf8("--name", self.name)
        check_utf8("--encoder", self.encoder)
        if (self.batch_size is not None and self.batch_size < 1) or self.shard_size < 1:
            raise BuildError("--batch-size and --shard-size must be at least 1")
        if self.k is not None and self.k < 1:
            raise BuildError(f"--k {self.k} keeps nothing; give 1 or more")
        if self.encoders < 1:
            raise BuildError("--encoders must be at least 1")
        if self.encoders > 1 and self.engine == "ray":
            raise BuildError("--encoders: with --engine ray each GPU has one worker")
        if self.limit is not None and self.limit < 1:
            raise BuildError(f"--limit {self.limit} leaves no picture; give 1 or more")
        if self.thumbnails != "none" and self.thumbnails < 1:
            raise BuildError(f"--thumbnails {self.thumbnails} shows nothing; give pixels, 1 or more, or none")
        if self.workers is not None and self.workers < 0:
            raise BuildError("--workers must not be negative")
        if not 0 < self.memory <= _MOST_MEMORY:
            raise BuildError(f"--memory {self.memory} is not what a machine can sort in; give GiB, 2 for instance")

    @property
    def store_name(self) -> str:
        """The name, or the folder's."""
        return self.name or self.out.name

    @property
    def thumbnail_side(self) -> int:
        """Pixels; 0 where the store is to have no pictures."""
        return 0 if self.thumbnails == "none" else self.thumbnails

    @property
    def memory_bytes(self) -> int:
        """The same in bytes."""
        return int(self.memory * 2**30)

    def resolved_device(self) -> str:
        """cpu or cuda. Raises BuildError where there is no GPU and something that was asked for needs one."""
        device = resolved_device(self.device)
        if device == "cpu" and self.precision == "fp16":
            raise BuildError("--precision fp16 is for a GPU: take bf16 or fp32 on a CPU")
        if device == "cpu" and self.decode == "gpu":
            raise BuildError("--decode gpu: the pictures are encoded on a CPU here; take --decode cpu")
        return device

    def resolved_batch_size(self) -> int:
        """The batch size, or the device's own."""
        return self.batch_size or (128 if self.resolved_device() == "cuda" else 64)

    def compiled_for(self, n_slots: int) -> bool:
        """Whether the encoder is to be compiled: a matter of the plan, so that a resumed build decides the same."""
        if self.resolved_device() != "cuda" or self.compile == "no":
            return False
        return self.compile == "yes" or n_slots >= _COMPILED_FROM


def check_utf8(option: str, value: Path | str | None) -> None:
    """Raises BuildError for what a manifest, and a page, could not hold."""
    said = os.fsencode(value or "")
    try:
        said.decode()
    except UnicodeDecodeError as error:
        shown = said.decode("utf-8", "backslashreplace")
        raise BuildError(f"{option} {shown} is no UTF-8, in which a store is named: choose another") from error


def resolved_device(asked: Device) -> str:
    """cpu or cuda. Raises BuildError where cuda was asked for and there is none."""
    import torch  # here: reading a command takes no second without it

    if asked == "cuda" and not torch.cuda.is_available():
        raise BuildError("--device cuda: PyTorch sees no GPU here; take --device cpu or auto")
    return "cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu"
