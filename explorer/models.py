"""The models an inspection needs, loaded once a process and only when somebody asks.

The encoder encodes for one visitor at a time (`explorer.waiting`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import streamlit as st

from explorer.recent import RecentArrays
from explorer.views.cut_texts import CutText
from explorer.waiting import encoder_turn
from sae_core import ClipEncoder, LatentStore
from sae_core.errors import EncoderError, MismatchError
from sae_core.references import ENCODER_WAY_OUT, encoder_reference
from sae_core.sae.topk import TopKSAE

_TEXTS = RecentArrays(max_bytes=8 << 20)
_TRIED_AGAIN = 300.0  # seconds until an encoder that could not be loaded is tried without being asked for
_failed: dict[tuple[str, str, str | None], tuple[float, str]] = {}  # the last one: until when, and why


def sae(store: LatentStore) -> TopKSAE:
    """The store's SAE."""
    return _sae(str(store.path), store.version, store)


def encoder(store: LatentStore) -> ClipEncoder:
    """The store's encoder. Raises MismatchError or EncoderError; of a failure only `why_no_texts` knows."""
    return _encoder(str(store.path), store.version, encoder_reference(), store)


@contextmanager
def encoder_in_turn(store: LatentStore) -> Iterator[ClipEncoder]:
    """The same, for this visitor alone until the block ends. Raises BusyError, too."""
    with encoder_turn():
        yield encoder(store)


def why_no_texts(store: LatentStore) -> str:
    """Why texts cannot be encoded here, as far as that is known without loading anything, without its full stop.

    Empty where they may be. An encoder that could not be loaded, as from a hub that does not answer, is not counted on
    for a while; whoever asks for it in so many words has it tried again.
    """
    if missing := store.missing_encoder(encoder_reference()):
        return _with_way_out(missing)
    until, why = _failed.get((str(store.path), store.version, encoder_reference()), (0.0, ""))
    return why if time.monotonic() < until else ""


def embed_text(store: LatentStore, text: str) -> np.ndarray:
    """The unit embedding of a text, `[d_embed]`. Raises as `encoder_in_turn` does."""
    return embed_texts(store, [text])[0]


def embed_texts(store: LatentStore, texts: Sequence[str]) -> list[np.ndarray]:
    """Those of several, in one turn; the latest few thousand are kept. Raises as `encoder_in_turn` does."""

    def key(text: str) -> tuple[str, str, str]:
        return str(store.path), store.version, text

    found = {text: kept[0] for text in texts if (kept := _TEXTS.peek(key(text)))}
    for text, row, read in _encoded(store, [text for text in dict.fromkeys(texts) if text not in found]):
        found[text] = _TEXTS.get(key(text), partial(tuple, [row, read]))[0]
    return [found[text] for text in texts]


def cut_texts(store: LatentStore, texts: Iterable[str]) -> tuple[CutText, ...]:
    """Which of the texts that `embed_texts` was asked for lately were cut; those that are not kept any more are not."""
    kept = [(text, _TEXTS.peek((str(store.path), store.version, text))) for text in dict.fromkeys(texts)]
    cut = [CutText(text, *(int(n) for n in one[1])) for text, one in kept if one]
    return tuple(one for one in cut if one.n_read < len(one.text))


def _encoded(store: LatentStore, texts: list[str]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each text with its embedding, which cannot be written to, and with what was read of it, of how many tokens."""
    if not texts:
        return
    with encoder_in_turn(store) as clip:
        embeddings, read = clip.encode_texts(texts).numpy(), clip.characters_read(texts)
    for text, row, n_read in zip(texts, embeddings, read, strict=True):
        alone = row.copy()  # kept without the others
        alone.flags.writeable = False
        yield text, alone, np.array([n_read, clip.context_length])


@st.cache_resource(max_entries=1, show_spinner=False)
def _sae(path: str, version: str, _store: LatentStore) -> TopKSAE:
    return _store.sae()


@st.cache_resource(max_entries=1, show_spinner=False)
def _encoder(path: str, version: str, reference: str | None, _store: LatentStore) -> ClipEncoder:
    _failed.clear()
    try:
        return _store.load_encoder(reference=reference)
    except (EncoderError, MismatchError) as error:
        said = _with_way_out(str(error)) if isinstance(error, EncoderError) else str(error)
        _failed[path, version, reference] = (time.monotonic() + _TRIED_AGAIN, said)
        raise type(error)(said) from error


def _with_way_out(why: str) -> str:
    return f"{why}; {ENCODER_WAY_OUT}"
