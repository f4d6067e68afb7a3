"""What a GPU does of a batch before it is encoded: decodes the JPEGs that workers left to it, crops and shrinks them.

Two steps, for two threads: while one batch is cropped the next is decoded, by a part of the GPU that does nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import UInt8
from torch import Tensor

from index_builder.decode import DecodedBatch, ImageRow, SlotDataset
from index_builder.jpegs import JpegStage, decode
from sae_core.encoder.resampling import Wanted, resample


@dataclass(frozen=True)
class OnGpu:
    """A batch some of whose pictures were decoded by the GPU, `pictures`, once `ready`; they have slots and rows."""

    batch: DecodedBatch
    pictures: Sequence[UInt8[Tensor, "3 height width"]] = ()
    slots: Sequence[int] = ()
    rows: Sequence[ImageRow] = ()
    ready: torch.cuda.Event | None = None


@dataclass(frozen=True)
class Prepared:
    """A batch with all its crops; the last `len(small_sizes)` rows still want their thumbnails encoded."""

    batch: DecodedBatch
    small: Tensor | None = None  # uint8 [m, side, side, 3]: thumbnails at the top left, on the CPU once `ready`
    small_sizes: Sequence[tuple[int, int]] = ()
    ready: torch.cuda.Event | None = None
    held: object = None  # what must live until then


class GpuDecoder:
    """The first step, on a stream of its own, which waits for the decoder alone."""

    def __init__(self, dataset: SlotDataset, device: torch.device) -> None:
        self._dataset, self._device = dataset, device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def __call__(self, batch: DecodedBatch) -> OnGpu:
        """The batch, in which nothing is coded any more."""
        if not batch.coded:
            return OnGpu(batch)
        slots, rows, lengths = (list(column) for column in zip(*batch.coded, strict=True))
        with torch.cuda.stream(self._stream) if self._stream else contextlib.nullcontext():
            try:
                pictures = decode(batch.data.split(lengths), self._device)
            except RuntimeError:  # one of them is broken; the other decoder says which, and how
                if self._device.type == "cuda":
                    torch.cuda.synchronize(self._device)  # others may still be written to memory that is free by now
                return OnGpu(_merged(batch, self._dataset.on_cpu(slots)))
            return OnGpu(batch, pictures, slots, rows, event(self._device))


class Shrinker:
    """The second, on the encoder's stream.

    On another one each of its short kernels would wait until one of the encoder's, which fill the GPU, ends.
    """

    def __init__(self, dataset: SlotDataset, device: torch.device, compiled: bool = False) -> None:
        self._jpegs = JpegStage(dataset.preprocessing, dataset.thumbnail_side, device, _resample(compiled))
        self._device = device

    @torch.no_grad()
    def __call__(self, given: OnGpu) -> Prepared:
        """The batch with all its crops, those of the GPU last."""
        batch = given.batch
        if not given.pictures:
            return Prepared(batch)
        if given.ready is not None:
            torch.cuda.current_stream(self._device).wait_event(given.ready)
        made = self._jpegs.shrink(given.pictures)
        pixels = batch.pixels.to(self._device, non_blocking=True)
        whole = DecodedBatch(
            slots=[*batch.slots, *given.slots],
            rows=[*batch.rows, *given.rows],
            rejects=batch.rejects,
            pixels=torch.cat([pixels, made.crops]) if len(pixels) else made.crops,
            known=batch.known,
        )
        small = on_its_way(made.small) if made.small is not None else None
        return Prepared(whole, small, made.small_sizes, event(self._device), held=given)


def on_its_way(values: Tensor) -> Tensor:
    """A copy on the CPU, which is whole once an event recorded after it has happened."""
    if not values.is_cuda:
        return values
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return host.copy_(values, non_blocking=True)


def event(device: torch.device) -> torch.cuda.Event | None:
    """What happens when all that was asked of the current stream is done."""
    if device.type != "cuda":
        return None
    made = torch.cuda.Event(blocking=True)  # who waits for it sleeps, and leaves the core to the others
    made.record(torch.cuda.current_stream(device))
    return made


def _resample(compiled: bool) -> Callable[[Sequence[Tensor], Sequence[Wanted]], None]:
    """Kernels are compiled where the encoder is."""
    if not compiled:
        return resample
    from sae_core.encoder import resampling_kernel  # wants Triton, which is not everywhere

    return resampling_kernel.resample


def _merged(batch: DecodedBatch, more: DecodedBatch) -> DecodedBatch:
    """A batch with what the CPU made of those that were left to the GPU."""
    return DecodedBatch(
        slots=batch.slots + more.slots,
        rows=batch.rows + more.rows,
        rejects=batch.rejects + more.rejects,
        pixels=torch.cat([part.pixels for part in (batch, more) if part.rows] or [batch.pixels]),
        known=batch.known,
    )
