"""The models an inspection needs, loaded once a process and only when somebody asks.

The encoder encodes for one visitor at a time (`explorer.waiting`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import streamlit as st

from explorer.recent import RecentArrays
from explorer.waiting import encoder_turn
from sae_core import ClipEncoder, LatentStore
from sae_core.sae.topk import TopKSAE

_TEXTS = RecentArrays(max_bytes=8 << 20)


def sae(store: LatentStore) -> TopKSAE:
    """The store's SAE."""
    return _sae(str(store.path), store.version, store)


def encoder(store: LatentStore) -> ClipEncoder:
    """The store's encoder. Raises MismatchError or EncoderError; nothing is kept of a failure."""
    return _encoder(str(store.path), store.version, store)


@contextmanager
def encoder_in_turn(store: LatentStore) -> Iterator[ClipEncoder]:
    """The same, for this visitor alone until the block ends. Raises BusyError, too."""
    with encoder_turn():
        yield encoder(store)


def embed_text(store: LatentStore, text: str) -> np.ndarray:
    """The unit embedding of a text, `[d_embed]`; the latest few thousand are kept. Raises as `encoder_in_turn` does."""

    def compute() -> tuple[np.ndarray, ...]:
        with encoder_in_turn(store) as clip:
            embedding: np.ndarray = clip.encode_texts([text])[0].numpy()
        embedding.flags.writeable = False
        return (embedding,)

    return _TEXTS.get((str(store.path), store.version, text), compute)[0]


@st.cache_resource(max_entries=1, show_spinner=False)
def _sae(path: str, version: str, _store: LatentStore) -> TopKSAE:
    return _store.sae()


@st.cache_resource(max_entries=1, show_spinner=False)
def _encoder(path: str, version: str, _store: LatentStore) -> ClipEncoder:
    return _store.load_encoder()
