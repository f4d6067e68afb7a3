"""`manifest.json`: what a store is, and the size and hash of every file in it. Written last, validated on opening."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from sae_core.encoder.preprocessing import Decoder, Precision, Preprocessing
from sae_core.references import public_reference
from sae_core.store import layout

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
# NaN (no variance, a single image) is written as null and read back as NaN: JSON has no word for it.
Figure = Annotated[float, BeforeValidator(lambda value: float("nan") if value is None else value)]
Size = Annotated[int, Field(gt=0)]
DENSE = 0.1
UNKNOWN_FILES = "files that do not belong in a store"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class SourceInfo(_Part):
    """Where the pictures came from; never an absolute path, since stores are shared."""

    kind: Literal["folder", "webdataset", "parquet"]
    name: str
    listing_sha256: Sha256  # of the sorted keys that were listed


class EncoderInfo(_Part):
    """The encoder that made the embeddings; an upload is encoded by this one or refused."""

    ref: str  # what ClipEncoder.load takes
    model: str  # its vision tower, for people
    fingerprint: Sha256
    weights_sha256: Sha256
    preprocessing: Preprocessing
    precision: Precision = "fp32"  # of the pictures; uploads and texts are always fp32
    decoder: Decoder = "cpu"  # of the pictures' JPEGs; uploads are always decoded on the CPU

    @property
    def name(self) -> str:
        """The reference for people: without the path of a folder."""
        return public_reference(self.ref)


class SAEInfo(_Part):
    """The SAE that made the codes; a copy lies in the store."""

    ref: str  # a preset or hub id, or the name of a local folder: for people
    fingerprint: Sha256
    fvu_held_out: Figure | None = None  # of embeddings that its training held out, where train-sae recorded it


class ReportCard(_Part):
    """How faithful the SAE is on this store's images; definitions in sae_core.metrics."""

    fvu: Figure
    cosine: Figure
    random_pair_cosine: Figure
    l0: Figure
    n_dead: Count
    n_dense: Count  # latents of density above DENSE
    monosemanticity: Figure  # mean over latents
    monosemanticity_baseline: Figure  # mean cosine of two images
    split_half: Figure  # mean over latents
    split_half_baseline: Figure  # mean over pairs of different latents
    nearest_recall: float | None = None  # share of the ten nearest images that the index finds; None: not measured
    random_fvu: float | None = None  # FVU of as many random directions, of which an image keeps L0; None: not measured
    picture_fvu: float | None = None  # of as many images' own deviations, on other images; None: too few of those

    @property
    def untrained(self) -> dict[str, float]:
        """FVU of dictionaries that nobody trained, the better one first; what was not measured is left out."""
        found = {"random pictures": self.picture_fvu, "random directions": self.random_fvu}
        known = {name: fvu for name, fvu in found.items() if fvu is not None}
        return dict(sorted(known.items(), key=lambda one: one[1]))

    @property
    def no_better_than_random(self) -> bool:
        """Whether as many random directions leave no more of these embeddings' variance than the SAE does."""
        return self.random_fvu is not None and self.fvu >= self.random_fvu


class FileInfo(_Part):
    """One file of the store."""

    size: Count
    sha256: Sha256


class Manifest(_Part):
    """Everything about a store that is not an array."""

    format: Literal["sparsight-store"] = "sparsight-store"
    schema_version: Literal[1] = 1
    name: str
    demonstration: bool = False
    n_images: Size
    n_rejected: Count
    n_latents: Size
    k: Size
    d_embed: Size
    source: SourceInfo
    encoder: EncoderInfo
    sae: SAEInfo
    report: ReportCard
    thumbnail_side: Size | None  # pixels of the longer side at most; None: a store without pictures
    versions: dict[str, str]  # of the packages that decide the bytes, and of the analysis
    files: dict[str, FileInfo]

    @property
    def analysis(self) -> int:
        """Which analysis made the figures, as layout.ANALYSIS counts them; 1 where the store says nothing."""
        said = self.versions.get("analysis", "")
        return int(said) if said.isdecimal() else 1

    @field_validator("files")
    @classmethod
    def _inside(cls, files: dict[str, FileInfo]) -> dict[str, FileInfo]:
        """Every file is one we know: so no name can lead out of the store, and none is missing."""
        if unknown := sorted(set(files) - {*layout.REQUIRED, *layout.OPTIONAL}):
            raise ValueError(f"{UNKNOWN_FILES}: {', '.join(map(repr, unknown))}")
        if missing := sorted(set(layout.REQUIRED) - set(files)):
            raise ValueError(f"files that a store must have: {', '.join(missing)}")
        if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in files):
            raise ValueError("a file outside the store")
        return files
