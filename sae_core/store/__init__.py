"""The latent store: its layout, its manifest, and the one class that opens it (docs/store-format.md)."""

from sae_core.store.manifest import Manifest
from sae_core.store.reader import LatentStore
from sae_core.store.records import Gallery, ImageRecord, Neighbours, SparseCode, Thumbnail

__all__ = ["Gallery", "ImageRecord", "LatentStore", "Manifest", "Neighbours", "SparseCode", "Thumbnail"]
