"""The models an inspection needs, loaded once a process and only when somebody asks."""

from __future__ import annotations

import numpy as np
import streamlit as st

from sae_core import ClipEncoder, LatentStore
from sae_core.sae.topk import TopKSAE


def sae(store: LatentStore) -> TopKSAE:
    """The store's SAE."""
    return _sae(str(store.path), store.version, store)


def encoder(store: LatentStore) -> ClipEncoder:
    """The store's encoder. Raises MismatchError or EncoderError; nothing is kept of a failure."""
    return _encoder(str(store.path), store.version, store)


def embed_text(store: LatentStore, text: str) -> np.ndarray:
    """The unit embedding of a text, `[d_embed]`; the latest few are kept. Raises as `encoder` does."""
    return _embedding(str(store.path), store.version, text, store)


@st.cache_resource(max_entries=1, show_spinner=False)
def _sae(path: str, version: str, _store: LatentStore) -> TopKSAE:
    return _store.sae()


@st.cache_resource(max_entries=1, show_spinner=False)
def _encoder(path: str, version: str, _store: LatentStore) -> ClipEncoder:
    return _store.load_encoder()


@st.cache_resource(max_entries=64, show_spinner=False)
def _embedding(path: str, version: str, text: str, _store: LatentStore) -> np.ndarray:
    embedding: np.ndarray = encoder(_store).encode_texts([text])[0].numpy()
    embedding.flags.writeable = False
    return embedding
