"""What happens to a batch between the decoding processes and its shard: prepared, encoded, collected.

Beside a GPU each of these is a thread (index_builder.ahead), and nothing waits for the GPU before `collect`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from index_builder.decode import DecodedBatch, ImageRow, Reject, SlotDataset
from index_builder.jpegs import JpegStage
from index_builder.shards import ShardWriter
from sae_core.encoder.clip import ClipEncoder
from sae_core.sae.topk import SparseCodes, TopKSAE
from sae_core.thumbnails import encode_small

_THUMBNAILS_A_RUN = 8  # that a thread encodes before it asks for more: handing over takes Python's lock


@dataclass(frozen=True)
class Prepared:
    """A batch with all its crops; the last `len(small_sizes)` rows still want their thumbnails encoded."""

    batch: DecodedBatch
    small: Tensor | None = None  # uint8 [m, side, side, 3]: thumbnails at the top left, on the CPU once `ready`
    small_sizes: Sequence[tuple[int, int]] = ()
    ready: torch.cuda.Event | None = None


@dataclass(frozen=True)
class Encoded:
    """A batch with embeddings and codes, on the CPU once `ready`."""

    prepared: Prepared
    embeddings: Tensor
    codes: SparseCodes
    ready: torch.cuda.Event | None


class Preparer:
    """Decodes what the workers left to the GPU, on a stream of its own."""

    def __init__(self, dataset: SlotDataset, device: torch.device) -> None:
        self._dataset, self._device = dataset, device
        self._jpegs = JpegStage(dataset.preprocessing, dataset.thumbnail_side, device)
        # Its kernels are short, and the encoder's next batch waits for them: they go first.
        self._stream = torch.cuda.Stream(device, priority=-1) if device.type == "cuda" else None

    def __call__(self, batch: DecodedBatch) -> Prepared:
        """The batch, in which nothing is coded any more."""
        if not batch.coded:
            return Prepared(batch)
        slots, rows, lengths = (list(column) for column in zip(*batch.coded, strict=True))
        with torch.cuda.stream(self._stream) if self._stream else contextlib.nullcontext():
            try:
                made = self._jpegs(batch.data.split(lengths))
            except RuntimeError:  # one of them is broken; the other decoder says which, and how
                return Prepared(_merged(batch, self._dataset.on_cpu(slots)))
            pixels = batch.pixels.to(self._device, non_blocking=True)
            whole = DecodedBatch(
                slots=batch.slots + slots,
                rows=batch.rows + rows,
                rejects=batch.rejects,
                pixels=torch.cat([pixels, made.crops]) if len(pixels) else made.crops,
                known=batch.known,
            )
            small = _on_its_way(made.small) if made.small is not None else None
            return Prepared(whole, small, made.small_sizes, _event(self._device))


@torch.no_grad()
def encode(prepared: Prepared, clip: ClipEncoder, sae: TopKSAE) -> Encoded:
    """Embeddings and codes of a batch's new pictures."""
    pixels = prepared.batch.pixels
    if prepared.ready is not None:
        torch.cuda.current_stream(clip.device).wait_event(prepared.ready)
        pixels.record_stream(torch.cuda.current_stream(clip.device))  # it was allocated on another stream
    embeddings = clip.embed_pixels(pixels)
    codes = sae.encode(embeddings)
    on_cpu = SparseCodes(*(_on_its_way(part) for part in codes))
    return Encoded(prepared, _on_its_way(embeddings), on_cpu, _event(clip.device))


def collect(encoded: Encoded, keys: Sequence[str], writer: ShardWriter, pool: Executor) -> int:
    """Waits for a batch, and adds its pictures and rejects to a shard; returns the number of these."""
    if encoded.ready is not None:
        encoded.ready.synchronize()
    batch, x = encoded.prepared.batch, encoded.embeddings
    finite = torch.isfinite(x).all(dim=1) & (x.norm(dim=1) > 0.5)
    rows = _with_thumbnails(encoded.prepared, pool)
    kept = finite.nonzero().flatten().tolist()
    if kept:
        codes = SparseCodes(*(part[finite] for part in encoded.codes))
        writer.add_pictures([batch.slots[i] for i in kept], [rows[i] for i in kept], x[finite], codes)
    unusable = [batch.slots[i] for i in (~finite).nonzero().flatten().tolist()]
    rejects = batch.rejects + [(slot, _not_finite(keys[slot])) for slot in unusable]
    writer.add_rejects(rejects)
    return len(rejects)


def _with_thumbnails(prepared: Prepared, pool: Executor) -> list[ImageRow]:
    rows = prepared.batch.rows
    if prepared.small is None:
        return rows
    done = len(rows) - len(prepared.small_sizes)
    pixels = prepared.small.numpy()
    cut = [pixels[i, :height, :width] for i, (width, height) in enumerate(prepared.small_sizes)]
    runs = [cut[start : start + _THUMBNAILS_A_RUN] for start in range(0, len(cut), _THUMBNAILS_A_RUN)]
    made = [data for run in pool.map(_encode_run, runs) for data in run]
    return rows[:done] + [row._replace(thumbnail=data) for row, data in zip(rows[done:], made, strict=True)]


def _encode_run(pixels: Sequence[np.ndarray]) -> list[bytes]:
    return [encode_small(one) for one in pixels]


def _merged(batch: DecodedBatch, more: DecodedBatch) -> DecodedBatch:
    """A batch with what the CPU made of those that were left to the GPU."""
    return DecodedBatch(
        slots=batch.slots + more.slots,
        rows=batch.rows + more.rows,
        rejects=batch.rejects + more.rejects,
        pixels=torch.cat([part.pixels for part in (batch, more) if part.rows] or [batch.pixels]),
        known=batch.known,
    )


def _not_finite(key: str) -> Reject:
    return Reject(key, "encode", "not-finite", "the encoder gave no finite embedding for this picture")


def _on_its_way(values: Tensor) -> Tensor:
    """A copy on the CPU, which is whole once an event recorded after it has happened."""
    if not values.is_cuda:
        return values
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return host.copy_(values, non_blocking=True)


def _event(device: torch.device) -> torch.cuda.Event | None:
    """What happens when all that was asked of the current stream is done."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return event
