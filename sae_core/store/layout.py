"""The one module that knows the file names of a store, and the columns and types inside (docs/store-format.md)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

MANIFEST = "manifest.json"
IMAGES = "images.arrow"
REJECTS = "rejects.parquet"
LABELS = "labels.parquet"
IMAGE_LABELS = "labels.npy"
LATENTS = "latents.parquet"
CODE_INDICES = "codes/indices.npy"
CODE_ACTIVATIONS = "codes/activations.npy"
POSTING_OFFSETS = "postings/offsets.npy"
POSTING_IMAGE_IDS = "postings/image_ids.npy"
POSTING_ACTIVATIONS = "postings/activations.npy"
HISTOGRAMS = "latents/histograms.npy"
LABEL_CODES = "latents/label_codes.npy"
LABEL_COUNTS = "latents/label_counts.npy"
COACTIVE = "latents/coactive.npy"
COACTIVE_COUNTS = "latents/coactive_counts.npy"
NEAR_MISSES = "latents/near_misses.npy"
NEAR_MISS_PRE_ACTIVATIONS = "latents/near_miss_pre_activations.npy"
CENTROIDS = "latents/centroids.npy"
EFFECT_LABELS = "latents/effect_labels.npy"
EFFECT_COSINES = "latents/effect_cosines.npy"
EFFECT_Z = "latents/effect_z.npy"
CONTROLS = "latents/controls.parquet"
MOMENT_COUNTS = "moments/counts.npy"
MOMENT_SUMS = "moments/sums.npy"
MOMENT_PRODUCTS = "moments/products.npy"
MOMENT_LABEL_COUNTS = "moments/label_counts.npy"
MOMENT_LABEL_SUMS = "moments/label_sums.npy"
EMBEDDINGS = "embeddings.npy"
IMAGE_INDEX = "embeddings.faiss"
LATENT_INDEX = "latents.faiss"
SAE_CONFIG = "sae/config.json"
SAE_WEIGHTS = "sae/model.safetensors"
THUMBNAILS = "thumbnails.bin"
THUMBNAIL_OFFSETS = "thumbnails.npy"

DTYPES: dict[str, np.dtype[Any]] = {
    IMAGE_LABELS: np.dtype("<i4"),
    CODE_INDICES: np.dtype("<i4"),
    CODE_ACTIVATIONS: np.dtype("<f4"),
    POSTING_OFFSETS: np.dtype("<i8"),
    POSTING_IMAGE_IDS: np.dtype("<i8"),
    POSTING_ACTIVATIONS: np.dtype("<f4"),
    HISTOGRAMS: np.dtype("<i8"),
    LABEL_CODES: np.dtype("<i4"),
    LABEL_COUNTS: np.dtype("<i8"),
    COACTIVE: np.dtype("<i4"),
    COACTIVE_COUNTS: np.dtype("<i8"),
    NEAR_MISSES: np.dtype("<i8"),
    NEAR_MISS_PRE_ACTIVATIONS: np.dtype("<f4"),
    CENTROIDS: np.dtype("<f4"),
    EFFECT_LABELS: np.dtype("<i4"),
    EFFECT_COSINES: np.dtype("<f4"),
    EFFECT_Z: np.dtype("<f4"),
    MOMENT_COUNTS: np.dtype("<i8"),
    MOMENT_SUMS: np.dtype("<f8"),
    MOMENT_PRODUCTS: np.dtype("<f8"),
    MOMENT_LABEL_COUNTS: np.dtype("<i8"),
    MOMENT_LABEL_SUMS: np.dtype("<f8"),
    EMBEDDINGS: np.dtype("<f4"),
    THUMBNAIL_OFFSETS: np.dtype("<i8"),
}
PICTURES = (THUMBNAILS, THUMBNAIL_OFFSETS)
OPTIONAL = (*PICTURES, CONTROLS)
REQUIRED = (
    IMAGES,
    REJECTS,
    LABELS,
    LATENTS,
    *(name for name in DTYPES if name not in OPTIONAL),
    IMAGE_INDEX,
    LATENT_INDEX,
    SAE_CONFIG,
    SAE_WEIGHTS,
)

# Per latent: bins of equal width from 0 to the strongest activation; most common labels; pictures that nearly won a
# place; latents that are active together with it; labels that its direction raises and lowers most.
N_BINS = 40
N_DECILES = 10
N_TOP_LABELS = 8
N_NEAR_MISSES = 48
# Raised where figures of the same codes would be others than before; the manifest says which made a store's.
ANALYSIS = 2  # 2: controls weigh their pictures as latents do, and names count theirs. Older stores say nothing
N_COACTIVE = 12
N_RAISED, N_LOWERED = 6, 4
N_CONTROL_TOP = 12  # images that are named of each control

# Every batch but the last has this many rows, so that a row's batch follows from its number.
ROWS_PER_BATCH = 65_536

IMAGE_SCHEMA = pa.schema(
    [
        pa.field("source_key", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("caption", pa.string()),
        pa.field("split", pa.string()),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
    ]
)
REJECT_SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("source_key", "stage", "error", "message")]
)
LABEL_SCHEMA = pa.schema(
    [
        pa.field("label", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("n_images", pa.int64(), nullable=False),
    ]
)
LATENT_SCHEMA = pa.schema(
    [
        pa.field("n_active", pa.int64(), nullable=False),
        pa.field("density", pa.float64(), nullable=False),
        pa.field("max_activation", pa.float32(), nullable=False),
        pa.field("mean_activation", pa.float32(), nullable=False),
        pa.field("median_activation", pa.float32(), nullable=False),
        pa.field("top_label", pa.string()),
        pa.field("label_purity", pa.float32()),
        pa.field("name", pa.string()),
        pa.field("name_score", pa.float32()),
        pa.field("name_low", pa.float32()),
        pa.field("name_good", pa.bool_(), nullable=False),
        pa.field("name_source", pa.string()),
        pa.field("name_match", pa.string()),
        pa.field("name_carried", pa.int32()),
        pa.field("name_carried_by_chance", pa.float32()),
        pa.field("monosemanticity", pa.float32()),
        pa.field("split_half", pa.float32()),
        pa.field("x", pa.float32(), nullable=False),
        pa.field("y", pa.float32(), nullable=False),
    ]
)
# Columns that stores lack which were built before there were any.
LATER_COLUMNS = ("name_carried", "name_carried_by_chance")
# The figures that a latent has, of other directions; a row each.
CONTROL_KINDS = ("covariance", "isotropic", "latent")
CONTROL_SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("like_latent", pa.int64(), nullable=False),
        pa.field("n_active", pa.int64(), nullable=False),
        *(LATENT_SCHEMA.field(name) for name in ("top_label", "label_purity")),
        *(field for field in LATENT_SCHEMA if field.name.startswith("name")),
        *(LATENT_SCHEMA.field(name) for name in ("monosemanticity", "split_half")),
        pa.field("effect_z", pa.float32()),
        pa.field("top_images", pa.list_(pa.int64()), nullable=False),
    ]
)


def has_columns(found: pa.Schema, schema: pa.Schema) -> bool:
    """Whether a table is of this schema, or of what it was before LATER_COLUMNS."""
    before = pa.schema([field for field in schema if field.name not in LATER_COLUMNS])
    return bool(found.equals(schema) or found.equals(before))
