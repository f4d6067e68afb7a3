"""The hide-list: latents, labels and pictures that whoever shares a store does not show.

It acts where a store is read, so that nothing that reads it can forget it. It hides and does not delete: the files of
the store are as they were, and who has them has everything.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from sae_core.errors import HideListError
from sae_core.store.images import ImageTable
from sae_core.store.records import ImageRecord, LabelColumn, folded_label

WITHHELD = "withheld"
_MAX_BYTES = 64 << 20
_OF_NAME = ("name_score", "name_low", "name_carried", "name_carried_by_chance")
_ZERO = ("n_active", "density", "max_activation", "mean_activation", "median_activation")  # as of a dead latent
_Number = Annotated[StrictInt, Field(ge=0)]
_NOTHING: frozenset[int] = frozenset()


class HideList(BaseModel):
    """What the file says: `{"latents": [12], "labels": ["goldfish"], "pictures": [7, "train/b.png"]}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latents: tuple[_Number, ...] = ()
    labels: tuple[StrictStr, ...] = ()  # as the source has them, or their titles
    pictures: tuple[_Number | StrictStr, ...] = ()  # image ids, or source keys


@dataclass(frozen=True)
class Hidden:
    """What a hide-list means in one store."""

    latents: frozenset[int] = _NOTHING
    labels: frozenset[int] = _NOTHING  # codes; pictures that carry one are hidden with it
    pictures: frozenset[int] = _NOTHING  # image ids, without those that are hidden by their label
    n_pictures: int = 0  # all of them
    digest: str = ""  # of the list; "" where nothing is hidden

    def __bool__(self) -> bool:
        return bool(self.latents or self.labels or self.pictures)

    def picture(self, image_id: int, label: int) -> bool:
        """Whether an image is hidden, itself or by its label's code."""
        return image_id in self.pictures or label in self.labels


def read_hide_list(path: Path) -> HideList:
    """Raises HideListError where it cannot be read in full: what was to be hidden is not known then."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _unreadable(path, f"it has more than {_MAX_BYTES >> 20} MB")
        return HideList.model_validate_json(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise _unreadable(path, f"{where}: {first['msg']}" if where else first["msg"]) from error


def resolve(said: HideList, n_latents: int, labels: LabelColumn, images: ImageTable) -> Hidden:
    """What the list means in this store. Raises HideListError for an entry that the store does not have."""
    if beyond := [latent for latent in said.latents if latent >= n_latents]:
        raise _unknown(f"latent {beyond[0]}; this store has 0 … {n_latents - 1:,}")
    codes, pictures = _codes(said, labels), _image_ids(said, images)
    of_labels = int(np.asarray(labels.counts)[sorted(codes)].sum()) if codes else 0
    own = sum(int(labels.codes[image_id]) not in codes for image_id in pictures)
    written = json.dumps([sorted(set(said.latents)), sorted(codes), sorted(pictures)])
    digest = hashlib.sha256(written.encode()).hexdigest()
    found = Hidden(frozenset(said.latents), codes, pictures, of_labels + own, digest)
    return found if found else Hidden()


def redacted_record(image_id: int) -> ImageRecord:
    """What is said of a hidden picture: that there is one. Its label and name could say what it shows."""
    return ImageRecord(image_id, "", None, None, None, 0, 0, "", hidden=True)


def redacted_labels(labels: LabelColumn, hidden: Hidden) -> LabelColumn:
    """The codes stay, so that shares still add up; their names do not."""
    if not hidden.labels:
        return labels
    names, titles = list(labels.names), list(labels.titles)
    for code in hidden.labels:
        names[code] = titles[code] = WITHHELD
    return labels._replace(names=names, titles=titles, hidden=hidden.labels)


def redacted_latents(latents: pd.DataFrame, labels: LabelColumn, hidden: Hidden) -> pd.DataFrame:
    """A hidden latent has no figures. What is named after a hidden label has no name."""
    if not hidden.labels and not hidden.latents:
        return latents
    return _blanked(_unnamed(latents, labels, hidden), hidden.latents)


def redacted_controls(controls: pd.DataFrame, labels: LabelColumn, hidden: Hidden) -> pd.DataFrame:
    """Controls without those whose density is a hidden latent's, and without the names of hidden labels."""
    shown = controls[~controls["like_latent"].isin(sorted(hidden.latents))].reset_index(drop=True)
    return _unnamed(shown, labels, hidden)


def _unnamed(latents: pd.DataFrame, labels: LabelColumn, hidden: Hidden) -> pd.DataFrame:
    """No name and no commonest label that is a hidden one."""
    said = {text for code in hidden.labels for text in (labels.names[code], labels.titles[code])}
    frame = latents.copy()
    by_label = frame["top_label"].isin(said)
    frame.loc[by_label, ["top_label", "label_purity"]] = [None, np.nan]
    folded = {folded_label(text) for text in said}
    named = frame["name"].map(lambda name: isinstance(name, str) and folded_label(name) in folded).astype(bool)
    frame.loc[named, "name_good"] = False
    frame.loc[named, ["name", "name_source", "name_match"]] = None
    frame.loc[named, [name for name in _OF_NAME if name in frame]] = np.nan
    return frame


def _blanked(frame: pd.DataFrame, latents: frozenset[int]) -> pd.DataFrame:
    """Rows without figures and names; a place on the map stays, for it says nothing that the directions do not."""
    gone = frame.index.isin(sorted(latents))
    for name in frame.columns.difference(["x", "y"]):
        blank = 0 if name in _ZERO else False if name == "name_good" else None
        frame.loc[gone, name] = np.nan if blank is None and frame[name].dtype.kind == "f" else blank
    return frame


def _codes(said: HideList, labels: LabelColumn) -> frozenset[int]:
    wanted = {folded_label(text): text for text in said.labels}
    found: dict[str, set[int]] = {text: set() for text in wanted}
    for texts in (labels.names, labels.titles):
        for code, text in enumerate(texts):
            if (folded := folded_label(text)) in found:
                found[folded].add(code)
    if missing := [wanted[text] for text, codes in found.items() if not codes]:
        raise _unknown(f"label {missing[0]!r}")
    return frozenset().union(*found.values())


def _image_ids(said: HideList, images: ImageTable) -> frozenset[int]:
    numbers = {entry for entry in said.pictures if isinstance(entry, int)}
    if beyond := sorted(number for number in numbers if number >= images.n_rows):
        raise _unknown(f"picture {beyond[0]}; this store has 0 … {images.n_rows - 1:,}")
    keys = {entry for entry in said.pictures if isinstance(entry, str)}
    found = images.ids_of_keys(keys) if keys else {}
    if missing := sorted(keys - found.keys()):
        raise _unknown(f"picture {missing[0]!r}")
    return frozenset(numbers | {number for ids in found.values() for number in ids})


def _unreadable(path: Path, why: str) -> HideListError:
    said = f"the hide-list {path} cannot be read ({why}), so nothing of the store is shown"
    return HideListError(said, hint=f"mend {path}")


def _unknown(what: str) -> HideListError:
    said = f"the hide-list names what this store does not have: {what}; nothing of the store is shown"
    return HideListError(said, hint="mend the hide-list, or point it at the store that it was written for")
