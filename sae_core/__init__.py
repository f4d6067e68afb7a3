"""The science of Sparsight: the SAE, the CLIP encoder, sparse codes and the latent store. No Streamlit here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sae_core.encoder.clip import ClipEncoder as ClipEncoder
    from sae_core.sae.checkpoint import load_sae as load_sae
    from sae_core.store.reader import LatentStore as LatentStore

__version__ = "0.1.0"

_HOMES = {
    "ClipEncoder": "sae_core.encoder.clip",
    "LatentStore": "sae_core.store.reader",
    "load_sae": "sae_core.sae.checkpoint",
}
__all__ = ["ClipEncoder", "LatentStore", "load_sae"]


def __getattr__(name: str) -> Any:
    """Imports on first use: open_clip takes seconds to import, and `--help` should not wait for it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sae_core' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
