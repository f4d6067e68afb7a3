"""The one module that knows the file names of a store, and the columns and types inside (docs/store-format.md)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

FORMAT = "sparsight-store"
SCHEMA_VERSION = 1

MANIFEST = "manifest.json"
IMAGES = "images.parquet"
REJECTS = "rejects.parquet"
LATENTS = "latents.parquet"
CODE_INDICES = "codes/indices.npy"
CODE_ACTIVATIONS = "codes/activations.npy"
POSTING_OFFSETS = "postings/offsets.npy"
POSTING_IMAGE_IDS = "postings/image_ids.npy"
POSTING_ACTIVATIONS = "postings/activations.npy"
IMAGE_INDEX = "embeddings.faiss"
LATENT_INDEX = "latents.faiss"
SAE_CONFIG = "sae/config.json"
SAE_WEIGHTS = "sae/model.safetensors"
THUMBNAILS = "thumbnails.bin"
THUMBNAIL_OFFSETS = "thumbnails.npy"

REQUIRED = (
    IMAGES,
    REJECTS,
    LATENTS,
    CODE_INDICES,
    CODE_ACTIVATIONS,
    POSTING_OFFSETS,
    POSTING_IMAGE_IDS,
    POSTING_ACTIVATIONS,
    IMAGE_INDEX,
    LATENT_INDEX,
    SAE_CONFIG,
    SAE_WEIGHTS,
)
OPTIONAL = (THUMBNAILS, THUMBNAIL_OFFSETS)

DTYPES: dict[str, np.dtype[Any]] = {
    CODE_INDICES: np.dtype("<i4"),
    CODE_ACTIVATIONS: np.dtype("<f4"),
    POSTING_OFFSETS: np.dtype("<i8"),
    POSTING_IMAGE_IDS: np.dtype("<i8"),
    POSTING_ACTIVATIONS: np.dtype("<f4"),
    THUMBNAIL_OFFSETS: np.dtype("<i8"),
}

# Small row groups: a page of thumbnails needs a few dozen rows from anywhere in the table.
ROWS_PER_GROUP = 1024

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
    ]
)
