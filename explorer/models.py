"""The models an inspection needs, loaded once a process and only when somebody asks."""

from __future__ import annotations

import streamlit as st

from sae_core import ClipEncoder, LatentStore
from sae_core.sae.topk import TopKSAE


def sae(store: LatentStore) -> TopKSAE:
    """The store's SAE."""
    return _sae(str(store.path), store.version, store)


def encoder(store: LatentStore) -> ClipEncoder:
    """The store's encoder. Raises MismatchError or EncoderError; nothing is kept of a failure."""
    return _encoder(str(store.path), store.version, store)


@st.cache_resource(max_entries=1, show_spinner=False)
def _sae(path: str, version: str, _store: LatentStore) -> TopKSAE:
    return _store.sae()


@st.cache_resource(max_entries=1, show_spinner=False)
def _encoder(path: str, version: str, _store: LatentStore) -> ClipEncoder:
    return _store.load_encoder()
