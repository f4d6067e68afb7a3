"""WebDataset tars, read at random: members are listed once with their offsets, then read with pread.

The webdataset package streams tars in order and cannot list or go back, which a resumable build with a known total
needs; the grouping rule is its own (all members that share a path up to the first dot of the base name).
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from index_builder.progress import counted
from index_builder.sources.base import RawPicture, changed, check_size, file_state, state_sha256
from index_builder.sources.texts import clean, clean_name, decoded
from sae_core import keys, tars
from sae_core.errors import PictureError, SourceError
from sae_core.pictures import EXTENSIONS


class Member(NamedTuple):
    """One file inside a tar."""

    extension: str  # without the dot, lower case
    offset: int  # of its bytes
    size: int


class Sample(NamedTuple):
    """The members of one key."""

    tar: int  # position in `tars`
    members: tuple[Member, ...]

    def find(self, *extensions: str) -> Member | None:
        """The first member with one of these extensions."""
        return next((member for member in self.members if member.extension in extensions), None)


_CAPTIONS = ("caption", "text")
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")  # gzip, bzip2, xz, zstd
_PICTURES = tuple(sorted(extension[1:] for extension in EXTENSIONS))


@dataclass(frozen=True)
class WebDatasetSource:
    """Samples of one or more tars, in the tars' order."""

    tars: list[Path]
    keys: list[str]
    samples: list[Sample]
    name: str
    states: list[str]  # of the tars, when they were listed
    kind: Literal["webdataset"] = "webdataset"

    @classmethod
    def scan(cls, tars: Sequence[Path], name: str) -> WebDatasetSource:
        """Lists the tars. Raises SourceError where one is no whole tar."""
        common = Path(os.path.commonpath([tar.parent for tar in tars]))
        found: dict[str, Sample] = {}
        states = [file_state(tar.stat()) for tar in tars]  # before they are listed
        for number, tar in enumerate(counted(tars, "list", "tar")):
            for key, sample in _samples(number, tar, tar.relative_to(common)):
                if key in found:
                    raise SourceError(f"{tar} holds the key {key} twice: keys must be unique")
                found[key] = sample
        return cls(list(tars), list(found), list(found.values()), name, states)

    def state_sha256(self) -> str:
        """Hash of the tars' names, sizes and times: a resumed build must find them as they were."""
        return state_sha256((clean_name(tar), tar.stat()) for tar in self.tars)

    def files(self) -> list[Path]:
        """The tars."""
        return self.tars

    def read(self, position: int) -> RawPicture:
        """The picture of a sample with what its `.json`, `.txt` and `.cls` say."""
        sample = self.samples[position]
        picture = sample.find(*_PICTURES)
        held = ", ".join(member.extension for member in sample.members)
        if picture is None:
            dotted = any(f".{member.extension}".endswith(tuple(EXTENSIONS)) for member in sample.members)
            rule = " (a name's first dot ends its key, the rest is its type)" if dotted else ""
            raise PictureError("no-picture", f"the sample holds no picture, only: {held}{rule}")
        if sum(member.extension in _PICTURES for member in sample.members) > 1:
            raise PictureError("several-pictures", f"the sample holds several pictures: {held}")
        facts = self._facts(sample)
        label = _first(facts, "label", "class") or self._text(sample, "cls")
        captions = {name: _one(facts.get(name)) for name in _CAPTIONS}
        caption = _first(captions, *_CAPTIONS) or self._text(sample, "txt")
        return RawPicture(self._bytes(sample, picture), clean(label), clean(caption), _first(facts, "split"))

    def _facts(self, sample: Sample) -> dict[str, Any]:
        member = sample.find("json")
        if member is None:
            return {}
        try:
            facts = json.loads(self._bytes(sample, member))
        except (ValueError, RecursionError) as error:
            raise PictureError("bad-metadata", f"the sample's .json cannot be read: {error}") from error
        return facts if isinstance(facts, dict) else {}

    def _text(self, sample: Sample, extension: str) -> str | None:
        member = sample.find(extension)
        return decoded(self._bytes(sample, member)) if member else None

    def _bytes(self, sample: Sample, member: Member) -> bytes:
        check_size(member.size)
        try:
            descriptor = os.open(self.tars[sample.tar], os.O_RDONLY)
            try:
                if file_state(os.fstat(descriptor)) != self.states[sample.tar]:
                    raise changed(os.fspath(self.tars[sample.tar]))
                data = os.pread(descriptor, member.size, member.offset)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise PictureError("unreadable", f"the tar cannot be read: {error.strerror}") from error
        if len(data) != member.size:
            raise PictureError("unreadable", "the tar ends inside this sample")
        return data


def _first(facts: dict[str, Any], *names: str) -> str | None:
    """The first of these that says something: a number, 0 too, or a text; null and what has parts do not."""
    values = (facts.get(name) for name in names)
    return next((said for value in values if not isinstance(value, list | dict) and (said := clean(value))), None)


def _one(caption: Any) -> Any:
    """Of several, as COCO has them, the first that there is, as in Parquet files."""
    return next(filter(None, caption), None) if isinstance(caption, list) else caption


def _no_tar(path: Path, error: tarfile.TarError) -> str:
    with open(path, "rb") as file:
        begins = file.read(6)
    if begins.startswith(_PACKED):
        return f"{path} is compressed, which cannot be read at random: unpack it"
    return f"{path} is no whole tar ({error}): fetch or write it again, or leave it out"


def _samples(number: int, path: Path, shown: Path) -> Iterator[tuple[str, Sample]]:
    """Keys (`TAR/key`) and samples of one tar; a key's members need not be adjacent."""
    groups: dict[str, list[Member]] = {}
    try:
        for info in tars.members(path):
            if info.islnk() or info.issym() or info.issparse():
                raise SourceError(f"{path} holds links or sparse files, which cannot be read at random: unpack it")
            key, extension = keys.of_member(info.name)
            if info.isreg() and key:
                groups.setdefault(key, []).append(Member(extension, info.offset_data, info.size))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error
    except tarfile.TarError as error:
        raise SourceError(_no_tar(path, error)) from error
    for key, members in groups.items():
        yield str(clean(f"{shown.as_posix()}/{key}")), Sample(number, tuple(members))
