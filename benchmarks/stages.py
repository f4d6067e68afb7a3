"""The stages of the builder's encode stage, each by itself, in milliseconds a picture on one thread of Python."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from index_builder.decode import SlotDataset, short_side
from index_builder.jpegs import JpegStage, Made, plain_size
from index_builder.plan import Encoders
from index_builder.shards import ShardWriter
from index_builder.sources import Source
from sae_core.pictures import open_picture
from sae_core.sae.topk import SparseCodes
from sae_core.thumbnails import encode_small, encode_thumbnail

_SIDE = 256  # of the thumbnails, as the builder has it by default


def stages(source: Source, models: Encoders, batch_size: int = 64) -> dict[str, float]:
    """Milliseconds a picture of every stage, in the order in which a picture passes them.

    With `--decode gpu`, JPEGs pass "on the GPU" and "its thumbnails" instead of decode, crop and thumbnail.
    """
    clip, sae, slots = models.clip, models.sae, range(len(source.keys))
    taken: dict[str, float] = {}

    def each(name: str, work: Callable[[Any], Any], inputs: Sequence[Any]) -> list[Any]:
        began = time.perf_counter()
        results = [work(given) for given in inputs]
        taken[name] = 1000 * (time.perf_counter() - began) / len(slots)
        return results

    data = [raw.data for raw in each("read", source.read, slots)]
    each("hash", lambda raw: hashlib.sha256(raw).hexdigest(), data)
    least = short_side(models.decoder, clip.preprocessing, _SIDE)
    pictures = each("decode", lambda raw: open_picture(raw, least), data)
    each("crop", lambda picture: clip.preprocessing.crop_pixels(picture.pixels), pictures)
    each("thumbnail", lambda picture: encode_thumbnail(picture, _SIDE), pictures)
    if models.decoder == "gpu":
        on_gpu(data, models, batch_size, each)
    batch = SlotDataset(source, clip.preprocessing, _SIDE).__getitems__(list(slots))
    x = torch.cat(each("encoder", clip.encode_pixels, batch.pixels.split(batch_size)))
    (codes,) = each("SAE", sae.encode, [x.to(sae.W_enc.device)])
    with tempfile.TemporaryDirectory() as folder:
        writer = ShardWriter(Path(folder) / "shard.arrow", clip.d_embed, sae.config.k)
        codes = SparseCodes(*(part.cpu() for part in codes))
        each("write", lambda rows: writer.add_pictures(batch.slots, rows, x, codes), [batch.rows])
        each("commit", lambda _: writer.commit(), [None])
    return taken


def on_gpu(data: Sequence[bytes], models: Encoders, batch_size: int, each: Callable[..., list[Any]]) -> None:
    """What becomes of a plain JPEG that a GPU decodes, before it is encoded, and its thumbnail's JPEG after that."""
    coded = [torch.frombuffer(bytearray(one), dtype=torch.uint8) for one in data]
    batches = [coded[start : start + batch_size] for start in range(0, len(coded), batch_size)]
    stage = JpegStage(models.clip.preprocessing, _SIDE, models.clip.device)
    stage(batches[0])
    each("looked through", lambda one: plain_size(one, models.clip.preprocessing), data)

    def done(batch: Sequence[torch.Tensor]) -> Made:
        made = stage(batch)
        made.crops[-1].cpu()
        return made

    made = each("on the GPU", done, batches)
    pixels = [one for part in made if part.small is not None for one in part.small.cpu().numpy()]
    each("its thumbnails", lambda one: encode_small(one[:192, :256]), pixels)
