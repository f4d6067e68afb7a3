"""Which columns of a Parquet file hold pictures, labels and captions, by their usual names and types."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

_PICTURES = ("image", "img", "jpg", "jpeg", "png", "webp", "picture", "image_bytes", "bytes")
_LABELS = ("label", "labels", "fine_label", "class", "cls")
_CAPTIONS = ("caption", "captions", "text", "txt", "sentence", "prompt")
_SPLITS = ("split",)


@dataclass(frozen=True)
class Columns:
    """Which columns are read, and the names of the class labels."""

    picture: str
    label: str | None = None
    caption: str | None = None
    split: str | None = None
    names: tuple[str, ...] = ()

    @property
    def read(self) -> list[str]:
        """Names of the columns."""
        return [name for name in (self.picture, self.label, self.caption, self.split) if name]


def picture_columns(schema: pa.Schema) -> Columns | None:
    """Columns by their usual names and types; None where no column holds pictures."""
    pictures = [field.name for field in schema if _holds_bytes(field.type)]
    usual = {name.lower(): name for name in reversed(pictures)}
    picture = next((usual[name] for name in _PICTURES if name in usual), pictures[0] if len(pictures) == 1 else None)
    if picture is None or len(set(schema.names)) < len(schema.names):
        return None
    label = _first(schema, _LABELS, _is_label)
    caption = _first(schema, _CAPTIONS, lambda kind: _is_text((pa.types.is_list(kind) and kind.value_type) or kind))
    split = _first(schema, _SPLITS, _is_text)
    return Columns(picture, label, caption, split, _class_names(schema, label))


def _first(schema: pa.Schema, names: tuple[str, ...], fits: Any) -> str | None:
    there = {name.lower(): name for name in reversed(schema.names)}
    return next((there[name] for name in names if name in there and fits(schema.field(there[name]).type)), None)


def _is_label(kind: pa.DataType) -> bool:
    """Texts and numbers; pandas writes whole numbers with gaps as floats."""
    return bool(
        _is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    ) or (pa.types.is_dictionary(kind) and _is_label(kind.value_type))


def _is_text(kind: pa.DataType) -> bool:
    """Also pandas' categories."""
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _holds_bytes(field.type) for field in kind.fields)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _class_names(schema: pa.Schema, label: str | None) -> tuple[str, ...]:
    """What the datasets package wrote about the column; other people's metadata may be anything."""
    try:
        said = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        names = said["info"]["features"][label]["names"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ()
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()
