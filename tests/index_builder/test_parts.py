"""Postings, names, thumbnails and the compatibility check, each alone against an oracle or a hand-worked case."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from scipy import stats

from index_builder import postings
from index_builder.compatibility import looks_wrong
from index_builder.decode import make_thumbnail
from index_builder.naming import Name, TermTable, name_latents, terms_of
from sae_core.metrics import Fidelity
from sae_core.pictures import open_picture
from tests.support.pictures import encoded


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 9_999), n=st.integers(1, 60), n_latents=st.integers(4, 30), chunk=st.integers(1, 20))
def test_postings_equal_a_sort_of_all_triples(seed: int, n: int, n_latents: int, chunk: int) -> None:
    rng = np.random.default_rng(seed)
    indices = np.stack([rng.choice(n_latents, 4, replace=False) for _ in range(n)]).astype(np.int32)
    activations = -np.sort(-rng.integers(-3, 4, (n, 4)).astype(np.float32), axis=1)  # many ties, many inactive
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = Path(folder)
        (root / "codes").mkdir()
        np.save(root / "codes/indices.npy", indices)
        np.save(root / "codes/activations.npy", activations)
        patch.setattr(postings, "_CHUNK", chunk)
        offsets = postings.write_postings(root, n_latents)
        ids, values = np.load(root / "postings/image_ids.npy"), np.load(root / "postings/activations.npy")
    triples = sorted(
        (int(indices[i, j]), -float(activations[i, j]), i) for i in range(n) for j in range(4) if activations[i, j] > 0
    )
    assert ids.tolist() == [image for _, _, image in triples]
    assert values.tolist() == [-negative for _, negative, _ in triples]
    assert np.diff(offsets).tolist() == [sum(latent == t[0] for t in triples) for latent in range(n_latents)]


def test_terms_are_words_pairs_and_the_whole() -> None:
    assert terms_of("fruit", "A slice of ripe lemon") == {
        "slice",
        "ripe",
        "lemon",
        "slice of",
        "ripe lemon",
        "fruit",
        "A slice of ripe lemon",
    } - {"slice of"}
    assert terms_of(None, None) == set()


def table(*captions: str) -> TermTable:
    filled = TermTable()
    for caption in captions:
        filled.add(None, caption)
    return filled


def test_a_name_worked_out_by_hand() -> None:
    """Latent 0: three lemons at 2 and a dog at 1, of which 6 / 7 of the weight is lemon; no inactive picture is."""
    captions = ["red lemon", "big lemon", "old lemon", "red dog", "big dog", "old dog"]
    names = name_latents(table(*captions), np.array([0, 4, 4]), np.array([0, 1, 2, 3]), np.array([2.0, 2.0, 2.0, 1.0]))
    assert names[0] == Name("lemon", pytest.approx(0.5 + (6 / 7 - 0 / 2) / 2))
    assert names[1] is None  # dead


def test_a_score_is_the_area_under_the_roc_curve() -> None:
    """With equal activations the formula must be the Mann-Whitney statistic over all pairs."""
    rng = np.random.default_rng(0)
    lemon = rng.random(80) < 0.4
    active = np.flatnonzero(rng.random(80) < np.where(lemon, 0.8, 0.1))
    rest = np.setdiff1d(np.arange(80), active)
    filled = table(*["lemon" if has else "dog" for has in lemon])
    name = name_latents(filled, np.array([0, len(active)]), active, np.ones(len(active)))[0]
    assert name is not None and name.text == "lemon"
    statistic = stats.mannwhitneyu(lemon[active].astype(int), lemon[rest].astype(int)).statistic
    assert name.score == pytest.approx(statistic / (len(active) * len(rest)))


def test_nothing_to_say_is_no_name() -> None:
    everywhere = table(*["a dog"] * 10)
    assert name_latents(everywhere, np.array([0, 3]), np.array([0, 1, 2]), np.ones(3)) == [None]
    assert name_latents(table(*[""] * 5), np.array([0, 1]), np.array([0]), np.ones(1)) == [None]


def test_of_equal_terms_the_longest_names() -> None:
    captions = ["ice cream cone", "ice cream cup", "ice cream van", "dog walk", "dog park", "dog bed"]
    name = name_latents(table(*captions), np.array([0, 3]), np.arange(3), np.ones(3))[0]
    assert name is not None and (name.text, name.score) == ("ice cream", 1.0)


def test_large_pictures_shrink_and_small_ones_keep_their_size() -> None:
    for size, wanted in (((800, 600), (256, 192)), ((100, 60), (100, 60)), ((1, 3_000), (1, 256))):
        picture = open_picture(encoded(Image.new("RGB", size, "red")))
        made = Image.open(io.BytesIO(make_thumbnail(picture, 256)))
        assert made.size == wanted and made.format == "JPEG"
        assert make_thumbnail(picture, 0) == b""


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_no_thumbnail_carries_more_than_pixels(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "12 Some Street"
    texts = PngInfo()
    texts.add_text("Author", "12 Some Street")
    options = {"exif": exif.tobytes(), "comment": b"12 Some Street"} if kind == "JPEG" else {"pnginfo": texts}
    data = encoded(Image.new("RGB", (60, 60)), kind, **options) + b"12 Some Street"
    assert data.count(b"Some Street") >= 2
    assert b"Some Street" not in make_thumbnail(open_picture(data), 256)


@pytest.mark.parametrize(
    ("cosine", "pairs", "fvu", "wrong"),
    [
        (0.94, 0.3, 0.14, False),
        (0.99, 0.91, 0.1, False),
        (0.5, 0.49, 0.9, True),
        (0.9, 0.2, 1.4, True),
        (0.6, 0.55, 0.5, True),
    ],
)
def test_a_mismatch_is_told_by_its_baseline(cosine: float, pairs: float, fvu: float, wrong: bool) -> None:
    assert looks_wrong(Fidelity(fvu, cosine, pairs, 16.0)) == wrong
