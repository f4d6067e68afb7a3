"""Views against the store they are built from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from explorer.sections import home
from explorer.sections.header import header
from explorer.views.home import build_home
from explorer.views.inspection import another_picture, build_inspection, in_words, kept_code, pair_cosine, store_source
from explorer.views.latent import build_latent
from explorer.views.paging import paging, whole_number
from explorer.views.striking import MAX_DENSITY, MIN_PICTURES, striking
from explorer.wording import figure, latent_text, percent, plural, signed
from sae_core import LatentStore
from sae_core.accounting import Fit
from sae_core.references import DEMO_LISTING


def table(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    frame = pd.DataFrame(
        {
            "n_active": [50] * n,
            "density": [0.01] * n,
            "max_activation": [1.0] * n,
            "top_label": [None] * n,
            "label_purity": [np.nan] * n,
            "name": [None] * n,
            "name_score": [np.nan] * n,
            "name_good": [True] * n,
            "name_match": [None] * n,
            "name_carried": [np.nan] * n,
            "name_carried_by_chance": [np.nan] * n,
        }
    )
    return frame.assign(**columns)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (0.008, "0.8 %"),
        (0.0123, "1.2 %"),
        (0.5, "50 %"),
        (1.0, "100 %"),
        (1 - 1e-9, "100 %"),
        (0.994, "99 %"),
        (511 / 512, "99.8 %"),
        (1 - 1 / 1_281_167, "99.9 %"),
        (0.0004, "0.04 %"),
        (1e-7, "< 0.001 %"),
    ],
)
def test_percent(share: float, said: str) -> None:
    assert percent(share).replace("\u00a0", " ") == said


def test_wording() -> None:
    assert percent(float("nan")) == "–"
    assert figure(float("nan")) == "–"
    assert figure(-0.024, 3) == "−0.024"
    assert [figure(-0.0004, 3), signed(-0.0004, 3), signed(0.0004, 3)] == ["0.000"] * 3, "nothing has no sign"
    assert [signed(0.024, 3), signed(-0.024, 3), signed(float("nan"))] == ["+0.024", "−0.024", "–"]
    assert plural(1, "picture").replace("\u00a0", " ") == "1 picture"
    assert plural(1281167, "image").replace("\u00a0", " ") == "1,281,167 images"
    assert latent_text(123, "citrus slices", 0.008).replace("\u00a0", " ") == "#123 · citrus slices · 0.8 %"
    assert latent_text(7, None, 0.0).replace("\u00a0", " ") == "#7 · unnamed · 0 %"


def test_whole_number() -> None:
    assert whole_number("12", -1) == 12
    assert [whole_number(said, -1) for said in (None, "", "-3", "1e3", "²", "9" * 30)] == [-1] * 6


@pytest.mark.parametrize(
    ("page", "n_items", "shown"),
    [
        (1, 10, [1]),
        (1, 96, [1, 2]),
        (2, 48 * 4, [1, 2, 3, 4]),
        (5, 48 * 9, [1, None, 4, 5, 6, None, 9]),
        (4, 48 * 9, [1, 2, 3, 4, 5, None, 9]),
        (9, 48 * 9, [1, None, 8, 9]),
    ],
)
def test_page_numbers_offered(page: int, n_items: int, shown: list[int | None]) -> None:
    assert paging(page, n_items, 48, str).shown == shown


def test_pages_cover_everything_once() -> None:
    pages = [paging(number, 100, 48, str) for number in (1, 2, 3)]
    assert [rank for page in pages for rank in range(page.start, page.stop)] == list(range(100))
    assert paging(99, 100, 48, str).page == 3
    assert paging(0, 0, 48, str).n_pages == 1


def test_striking_follows_its_rule() -> None:
    latents = table(
        name_score=[0.9, 0.8, 0.7, 0.6, 0.5],
        name=["a", "a", "b", "c", "d"],
        top_label=["x", "y", "z", "z", "w"],
        n_active=[50, 50, MIN_PICTURES - 1, 50, 50],
        density=[0.01, 0.01, 0.01, MAX_DENSITY * 2, 0.01],
    )
    assert striking(latents, 12) == [0, 4]
    assert striking(latents, 1) == [0]
    latents["name_good"] = [False, False, True, True, True]
    assert striking(latents, 12) == [4, 0], "a high score that few pictures gave comes after the good names"
    assert striking(table(density=[0.5, 0.9], max_activation=[1.0, 2.0]), 12) == [1, 0], (
        "none is medium: the alive ones"
    )


def test_latents_at_the_ends(store: LatentStore) -> None:
    assert build_latent(store, 0).previous is None
    assert build_latent(store, store.n_latents - 1).next is None
    with pytest.raises(IndexError):
        build_latent(store, store.n_latents)


def test_an_upload_of_a_store_picture_has_its_stored_code(store: LatentStore) -> None:
    for image_id in (0, 11, 99):
        source = store_source(store, image_id)
        stored, encoded = kept_code(store, source), kept_code(store, replace(source, image_id=None))
        assert encoded.latents.tolist() == stored.latents.tolist()
        assert np.allclose(encoded.activations, stored.activations, atol=1e-4)


def test_inspection_of_a_store_picture(store: LatentStore) -> None:
    source = store_source(store, 5)
    view = build_inspection(store, source)
    assert [card.ref.latent for card in view.code] == store.code(5).latents.tolist()
    assert len(view.code) + len(view.inactive) == store.k
    assert 5 not in [tile.image_id for tile in view.nearest]
    assert len(view.nearest) == 12
    upload = build_inspection(store, replace(source, kind="upload", image_id=None))
    assert upload.nearest[0].image_id == 5


def test_the_fit_is_torchs(store: LatentStore) -> None:
    x = store.embedding(5)
    sae = store.sae()
    rebuilt = sae(torch.from_numpy(x)[None])[0].numpy().astype(float)
    found = build_inspection(store, store_source(store, 5)).fit
    mean = store.embeddings(range(store.n_images)).mean(0)
    assert found.cosine == pytest.approx(x @ rebuilt / np.linalg.norm(rebuilt), abs=1e-5)
    assert found.fvu == pytest.approx(((x - rebuilt) ** 2).sum() / ((x - mean) ** 2).sum(), abs=1e-5)


@pytest.mark.parametrize(
    ("cosine", "word"), [(0.95, "is close to"), (0.9, "fairly close to"), (0.75, "only roughly"), (0.3, "far from")]
)
def test_reconstruction_in_words(store: LatentStore, cosine: float, word: str) -> None:
    view = build_inspection(store, store_source(store, 5))
    said = in_words(replace(view, fit=Fit(cosine, 0.1, 1.0), mean_cosine=0.94, random_pair_cosine=0.4))
    assert word in said
    assert said.startswith("The picture rebuilt from these ")


@pytest.mark.parametrize("n_images", [1, 2, 180, 7919, 1_281_167])
def test_another_picture_visits_all_before_it_repeats(n_images: int) -> None:
    image_id, seen = 0, set()
    for _ in range(min(n_images, 8000)):
        seen.add(image_id)
        image_id = another_picture(n_images, image_id)
    assert len(seen) == min(n_images, 8000)


def test_two_random_pictures_are_all_pairs(store: LatentStore) -> None:
    x = store.embeddings(range(store.n_images)).astype("f8")
    pairs = [x[i] @ x[j] for i in range(len(x)) for j in range(i)]
    assert pair_cosine(store) == pytest.approx(np.mean(pairs), abs=1e-5)


def test_home_explains_the_sign_of_names_by_clip(store: LatentStore) -> None:
    view = build_home(store)
    first, *rest = view.striking
    legend = "“~” marks a name by CLIP’s similarity alone"
    for by_clip in (True, False):
        card = replace(first, ref=replace(first.ref, name="fog", by_clip=by_clip))
        others = [replace(one, ref=replace(one.ref, by_clip=False)) for one in rest]
        assert (legend in home.striking(replace(view, striking=(card, *others)))) == by_clip


@pytest.mark.parametrize(
    ("demonstration", "listing", "said"),
    [
        (True, DEMO_LISTING, "store"),
        (True, "a" * 64, "encoder"),  # somebody's own pictures
        (False, DEMO_LISTING, None),  # another encoder's codes of the demonstration's pictures
    ],
)
def test_the_header_calls_the_demonstrations_own_pictures_so_and_no_others(
    store: LatentStore, monkeypatch: pytest.MonkeyPatch, demonstration: bool, listing: str, said: str | None
) -> None:
    source = store.manifest.source.model_copy(update={"listing_sha256": listing})
    changed = store.manifest.model_copy(update={"demonstration": demonstration, "source": source})
    monkeypatch.setattr(store, "manifest", changed)
    html = header("", store)
    assert f" · demonstration {said}</span>" in html if said else "demonstration" not in html
