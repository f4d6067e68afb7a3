"""Does a head that is trained on a neighbourhood alone judge the neighbourhood's other images better?

The store's first half trains, its second half is judged, less what is a copy of a picture of the first, so that neither
head has seen what it is judged on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from sae_core.errors import SparsightError
from sae_core.halves import half_of
from sae_core.linear_heads import Head, calibrated, global_head
from sae_core.local_heads import Judged, LocalWeights, fit_local, judge, through_decoder
from sae_core.statistics import paired_share_interval, share_interval
from sae_core.store.reader import LatentStore

N_CALIBRATION = 512  # held-out images, far from here as well, that set the global head's temperature
MIN_IMAGES = 10  # below, an accuracy says nothing
_COPY = 1 - 1e-5  # cosine: the same but for rounding
_WIDER = (3, 8, 30)  # times as many neighbours as needed are asked for, until either half has enough


@dataclass(frozen=True)
class Verdict:
    """One head on the held-out images of the neighbourhood; intervals are 95 %, that of the gain of pairs."""

    name: str
    accuracy: float
    interval: tuple[float, float]
    loss: float  # cross entropy, nats
    gain: float  # accuracy less the global head's on the same images
    gain_interval: tuple[float, float]


@dataclass(frozen=True)
class Specialisation:
    """The heads compared; the first verdict is the global head's."""

    verdicts: tuple[Verdict, ...]
    n_train: int
    n_judged: int
    n_labels: int  # of the neighbourhood's training images


@dataclass(frozen=True, eq=False)
class _Images:
    """Labelled images with everything that a head may be given."""

    ids: Int64[np.ndarray, "n"]
    rows: Int64[np.ndarray, "n"]  # of the head
    x: Float64[np.ndarray, "n d_embed"]
    indices: Int64[np.ndarray, "n k"]
    activations: Float64[np.ndarray, "n k"]


def specialise(store: LatentStore, centre: np.ndarray, n: int) -> Specialisation:
    """Heads trained on the n nearest images of the first half, judged on the n nearest of the second.

    Three start from the global head and differ in what they see: embeddings, reconstructions, sparse codes. Baselines:
    the global head itself, one that is trained on n random images, and the neighbourhood's commonest label. Raises
    SparsightError where there are too few labelled images.
    """
    head = global_head(store.moments, half=0)
    train, judged = (_images(store, head, ids) for ids in _neighbourhood(store, head, centre, n))
    if min(len(train.ids), len(judged.ids)) < MIN_IMAGES:
        raise SparsightError(
            f"this neighbourhood has {len(train.ids)} labelled pictures to train on and {len(judged.ids)} to judge; "
            f"at least {MIN_IMAGES} of each are needed"
        )
    head = _calibrated(store, head, judged.ids)
    found = _judged(store, head, train, judged)
    return Specialisation(
        verdicts=_verdicts(found),
        n_train=len(train.ids),
        n_judged=len(judged.ids),
        n_labels=len(np.unique(train.rows)),
    )


def _judged(store: LatentStore, head: Head, train: _Images, judged: _Images) -> dict[str, Judged]:
    start = LocalWeights(head.weights, head.bias)
    latents = np.union1d(train.indices, judged.indices)
    rows, bias = store.decoder_rows[latents].astype(np.float64), store.decoder_bias.astype(np.float64)
    codes, other_codes = _dense(train, latents), _dense(judged, latents)
    rebuilt, other_rebuilt = codes @ rows + bias, other_codes @ rows + bias
    anybody = _random(store, head, len(train.ids), without=np.union1d(train.ids, judged.ids))
    common = np.bincount(train.rows).argmax()

    def local(at: LocalWeights, features: np.ndarray, others: np.ndarray) -> Judged:
        return judge(fit_local(at, features, train.rows), others, judged.rows)

    return {
        "global head": judge(head, judged.x, judged.rows),
        "local, embeddings": local(start, train.x, judged.x),
        "local, reconstructions": local(start, rebuilt, other_rebuilt),
        "local, sparse codes": local(through_decoder(head, rows, bias), codes, other_codes),
        "local, random pictures": judge(fit_local(start, anybody.x, anybody.rows), judged.x, judged.rows),
        "commonest label": Judged((judged.rows == common).astype(np.float64), np.full(len(judged.rows), float("nan"))),
    }


def _verdicts(found: dict[str, Judged]) -> tuple[Verdict, ...]:
    return tuple(_verdict(name, judged, found["global head"].correct) for name, judged in found.items())


def _verdict(name: str, judged: Judged, baseline: Float64[np.ndarray, "n"]) -> Verdict:
    accuracy = float(judged.correct.mean())
    low, high = paired_share_interval(judged.correct, baseline)
    return Verdict(
        name=name,
        accuracy=accuracy,
        interval=share_interval(accuracy, len(baseline)),
        loss=float(judged.losses.mean()),
        gain=float((judged.correct - baseline).mean()),
        gain_interval=(max(low, -1.0), min(high, 1.0)),
    )


def _neighbourhood(store: LatentStore, head: Head, centre: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The n nearest labelled images of either half, or as many as there are; of the second no copies of the first's."""
    train = judged = np.array([], np.int64)
    for times in _WIDER:
        ids = store.nearest_images(centre, min(times * n, store.n_images)).ids
        ids = ids[head.rows_of(store.labels.codes[ids]) >= 0]
        train, judged = (ids[half_of(ids) == which] for which in (0, 1))
        judged = judged[~_copied(store, judged, train)]
        if min(len(train), len(judged)) >= n:
            break
    return train[:n], judged[:n]


def _copied(store: LatentStore, ids: np.ndarray, others: np.ndarray) -> Bool[np.ndarray, "m"]:
    """Which images are among the others under another name: a copy is as near to the centre, and found with it."""
    cosines = store.embeddings(ids) @ store.embeddings(others).T
    return np.asarray(cosines.max(1, initial=-1.0) >= _COPY)


def _images(store: LatentStore, head: Head, ids: np.ndarray) -> _Images:
    indices, activations = store.codes(ids)
    rows = head.rows_of(store.labels.codes[ids])
    return _Images(ids, rows, store.embeddings(ids).astype(np.float64), indices, activations.astype(np.float64))


def _random(store: LatentStore, head: Head, n: int, without: np.ndarray, half: int = 0) -> _Images:
    """n images of one half, anywhere, fewer where it has not so many; seeded."""
    drawn = np.random.default_rng(n).choice(store.n_images, min(4 * n + 64, store.n_images), replace=False)
    ids = drawn[(half_of(drawn) == half) & ~np.isin(drawn, without)]
    return _images(store, head, np.sort(ids[head.rows_of(store.labels.codes[ids]) >= 0][:n]))


def _calibrated(store: LatentStore, head: Head, judged: np.ndarray) -> Head:
    others = _random(store, head, N_CALIBRATION, without=judged, half=1)
    return calibrated(head, others.x, others.rows) if len(others.ids) >= MIN_IMAGES else head


def _dense(images: _Images, latents: np.ndarray) -> Float64[np.ndarray, "n u"]:
    """Codes as a table over the latents that occur, also what Top-K kept below 0."""
    codes = np.zeros((len(images.ids), len(latents)))
    np.put_along_axis(codes, np.searchsorted(latents, images.indices), images.activations, axis=1)
    return codes
