"""Labels of all images as codes, and what the codes mean."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from timm.data.imagenet_info import ImageNetInfo

from index_builder.arrays import new_array
from sae_core.store import layout

log = logging.getLogger("sparsight")
_MANY, _FEW = 100, 2  # labels; labelled pictures a label
_HARDLY_REPEAT = (
    "WARNING: %s labels for %s labelled pictures: labels that hardly repeat say nothing of latents, and take memory "
    "and time (a folder a picture? a column of identifiers?)"
)
_SYNSET = re.compile(r"n\d{8}")


def warn_where_few_repeat(counts: Counter[str]) -> None:
    """Of labels with the numbers of their pictures."""
    if len(counts) >= _MANY and counts.total() < _FEW * len(counts):
        log.warning(_HARDLY_REPEAT, len(counts), counts.total())


def write_labels(root: Path, *, warn: bool = True) -> None:
    """Writes `labels.npy` and `labels.parquet` of a store from its `images.arrow`; codes follow the sorted labels.

    `warn` where labels hardly repeat, unless that was told before.
    """
    counts: Counter[str] = Counter()
    for column in label_batches(root):
        found = pc.value_counts(column.drop_null())
        counts.update(dict(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True)))
    names = sorted(counts)
    if warn:
        warn_where_few_repeat(counts)
    columns = [names, titles_of(names), [counts[name] for name in names]]
    pq.write_table(pa.table(columns, schema=layout.LABEL_SCHEMA), root / layout.LABELS)
    known = pa.array(names, type=pa.string())
    n_images = sum(len(column) for column in label_batches(root))
    codes = new_array(root / layout.IMAGE_LABELS, layout.DTYPES[layout.IMAGE_LABELS], (n_images,))
    start = 0
    for column in label_batches(root):
        found = pc.fill_null(pc.index_in(column, known), -1) if names else pa.array([-1] * len(column), pa.int32())
        codes[start : start + len(column)] = found.to_numpy(zero_copy_only=False)
        start += len(column)


def label_batches(root: Path) -> Iterator[pa.Array]:
    """The label column of `images.arrow`, a batch at a time."""
    with pa.ipc.open_file(pa.memory_map(str(root / layout.IMAGES))) as reader:
        for batch in range(reader.num_record_batches):
            yield reader.get_batch(batch).column("label")


def titles_of(labels: Sequence[str]) -> list[str]:
    """What people read: for a WordNet synset of ImageNet its first word, where that says which; else the label itself.

    Two synsets of one word ("crane", the bird and the machine) show all their words, and where those are the same too
    the synset's number.
    """
    words = [_description(label) for label in labels]
    titles = [said.split(",")[0].strip() if said else label for label, said in zip(labels, words, strict=True)]
    for longer in (words, [f"{title} ({label})" for label, title in zip(labels, titles, strict=True)]):
        taken = Counter(titles)
        titles = [
            said if taken[title] > 1 and known and said else title
            for title, said, known in zip(titles, longer, words, strict=True)
        ]
    return titles


def _description(label: str) -> str | None:
    if not _SYNSET.fullmatch(label):
        return None
    try:
        return str(_imagenet().label_name_to_description(label, detailed=False))
    except KeyError:
        return None


@cache
def _imagenet() -> ImageNetInfo:
    return ImageNetInfo()
