"""Other SAEs on the same pictures: a dictionary in another order is found again whole, and what differs is not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.beside import BESIDE_VARIABLE, MOST, stores_beside
from explorer.routes import routes
from explorer.stores import HIDE_VARIABLE
from explorer.views import counterparts as of_counterparts
from explorer.views.counterparts import counterparts
from explorer.views.found_again import Galleries, directions_again, galleries_again
from explorer.views.striking import MIN_PICTURES
from index_builder.commands import RecodeCommand
from index_builder.recode import recode
from sae_core import LatentStore
from sae_core.sae.checkpoint import save_sae
from tests.explorer.conftest import html_of, run_page
from tests.support.stores import make_store

SHIFT = 7  # latent i of the store is latent i + SHIFT of the one in another order


@pytest.fixture(scope="session")
def reordered(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small store with its own dictionary, the latents in another order."""
    folder = tmp_path_factory.mktemp("beside")
    sae = LatentStore.open(small_store).sae()
    state = dict(sae.state_dict())
    state["W_enc"], state["W_dec"] = state["W_enc"].roll(SHIFT, 1), state["W_dec"].roll(SHIFT, 0)
    state["b_enc"] = state["b_enc"].roll(SHIFT)
    sae.load_state_dict(state)
    recode(RecodeCommand(small_store, folder / "reordered", str(save_sae(sae, folder / "sae")), device="cpu"))
    return folder / "reordered"


@pytest.fixture
def beside(shown: LatentStore, reordered: Path, monkeypatch: pytest.MonkeyPatch) -> LatentStore:
    """The app shows the small store, and the reordered one beside it."""
    monkeypatch.setenv(BESIDE_VARIABLE, str(reordered))
    return LatentStore.open(reordered)


def living(store: LatentStore) -> np.ndarray:
    return np.flatnonzero(store.latents["n_active"].to_numpy() > 0)


def members(store: LatentStore, latent: int) -> set[int]:
    return set(store.gallery(latent, 0, None).image_ids.tolist())


def test_a_dictionary_in_another_order_is_found_again_whole(store: LatentStore, beside: LatentStore) -> None:
    found = directions_again(store, beside)
    assert found is not None
    np.testing.assert_array_equal(found.latents, living(store))
    np.testing.assert_allclose(found.cosines, 1, atol=1e-5)
    np.testing.assert_array_equal(found.nearest, (found.latents + SHIFT) % store.n_latents)
    assert np.median(found.random) < 0.9
    shared = galleries_again(store, beside)
    assert shared is not None
    np.testing.assert_allclose(shared.jaccard, 1)

    latent = int(store.latents["n_active"].to_numpy().argmax())
    (one,) = counterparts(store, latent, [beside])
    assert one.nearest.ref.latent == (latent + SHIFT) % store.n_latents
    assert one.sharing == one.nearest
    assert one.nearest.n_both == store.gallery_size(latent)
    assert one.nearest.jaccard == 1
    assert one.standing.share_below == 1


def test_the_figures_are_those_of_plain_loops(store: LatentStore, halved: Path) -> None:
    other = LatentStore.open(halved)
    ours, theirs = living(store), living(other)
    cosines = store.directions[ours] @ other.directions[theirs].T
    found = directions_again(store, other)
    assert found is not None
    np.testing.assert_allclose(found.cosines, cosines.max(1), atol=1e-6)
    np.testing.assert_array_equal(found.nearest, theirs[cosines.argmax(1)])
    assert found.cosines.min() < 0.9 < found.cosines.max()

    galleries = {int(there): members(other, int(there)) for there in theirs}
    best = {}
    for latent in map(int, ours):
        own = members(store, latent)
        best[latent] = {there: len(own & their) / len(own | their) for there, their in galleries.items()}
    shared = galleries_again(store, other)
    assert shared is not None
    np.testing.assert_array_equal(shared.latents, np.flatnonzero(store.latents["n_active"] >= MIN_PICTURES))
    expected = [max(best[int(latent)].values()) for latent in shared.latents]
    np.testing.assert_allclose(shared.jaccard, expected, atol=1e-6)
    assert len(set(expected)) > 3

    for rank, latent in enumerate(map(int, ours)):
        (one,) = counterparts(store, latent, [other])
        assert one.nearest.ref.latent == theirs[cosines[rank].argmax()]
        assert one.nearest.jaccard == pytest.approx(best[latent].get(one.nearest.ref.latent, 0.0))
        if one.sharing is not None:
            assert one.sharing.jaccard == pytest.approx(max(best[latent].values()))
            assert one.sharing.n_both == len(members(store, latent) & galleries[one.sharing.ref.latent])


def test_random_directions_take_as_many_pictures_as_each_latent(store: LatentStore, beside: LatentStore) -> None:
    """Each is the best Jaccard index of the pictures farthest along a direction that is drawn again here."""
    from explorer.views.nearest_directions import random_dictionaries

    shared = galleries_again(store, beside)
    assert shared is not None
    drawn = random_dictionaries(store, len(shared.latents))[0]
    along = store.embeddings(range(store.n_images)) @ drawn.T
    galleries = [members(beside, int(there)) for there in living(beside)]
    for rank, latent in enumerate(map(int, shared.latents)):
        own = set(np.argsort(-along[:, rank])[: store.gallery_size(latent)].tolist())
        best = max(len(own & their) / len(own | their) for their in galleries)
        assert shared.random[rank] == pytest.approx(best, abs=1e-6)


def test_shared_pictures_stand_among_galleries_as_large(
    store: LatentStore, beside: LatentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the others most are far smaller: of as many pictures as the latent, or 1.5 times as many, only the first n."""
    latent = int(store.latents["n_active"].to_numpy().argmax())
    size = store.gallery_size(latent)
    for n, median in ((15, None), (20, 0.5)):
        sizes = np.where(np.arange(100) < n, size, size // 2)
        random = np.where(np.arange(100) < n, 0.5, 0.1).astype(np.float32)
        galleries = Galleries(np.arange(100), sizes, random, random)
        monkeypatch.setattr(of_counterparts, "galleries_again", lambda *_, galleries=galleries: galleries)
        (one,) = counterparts(store, latent, [beside])
        assert (one.shared_standing and (one.shared_standing.median, one.shared_standing.n)) == (median and (median, n))


def test_a_latent_says_what_another_sae_has(store: LatentStore, beside: LatentStore) -> None:
    latent = int(store.latents["n_active"].to_numpy().argmax())
    html = html_of(run_page("latent", latent=str(latent)))
    section = html[html.index("Found again?") :]
    assert section.count('class="sp-relative sp-again"') == 1, "the nearest and the one that shares most are the same"
    assert section.count('</div></div><div class="sp-why sp-wide">') == 1, "below both columns, not in the narrow one"
    assert "in <b>reordered</b>" in section
    assert f">#{(latent + SHIFT) % store.n_latents}<" in section
    assert "latent?latent=" not in section[: section.index("nearest direction")], "there is no page of it here"
    assert "above all" in section


def test_without_another_sae_nothing_is_said_of_one(shown: LatentStore) -> None:
    latent = int(shown.latents["n_active"].to_numpy().argmax())
    assert "Found again?" not in html_of(run_page("latent", latent=str(latent)))
    assert "find the same latents" not in html_of(run_page("quality"))


def test_quality_says_how_many_are_found_again(store: LatentStore, beside: LatentStore) -> None:
    html = html_of(run_page("quality")).replace("\u00a0", " ")
    assert "Does the SAE of “reordered” find the same latents?" in html
    assert "Above 0.9: 100 % of the latents" in html
    assert "half share 100 % or more of their pictures" in html


def test_the_api_says_it_too(store: LatentStore, beside: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(Starlette(routes=routes()))
    latent = int(store.latents["n_active"].to_numpy().argmax())
    said = client.get(f"/api/latents/{latent}/counterparts").json()
    assert said["others"][0]["nearest"]["latent"] == (latent + SHIFT) % store.n_latents
    assert said["others"][0]["sae_fingerprint"] == beside.manifest.sae.fingerprint
    assert said["problems"] == []
    assert client.get(f"/api/latents/{store.n_latents}/counterparts").status_code == 404
    monkeypatch.delenv(BESIDE_VARIABLE)
    refused = client.get(f"/api/latents/{latent}/counterparts")
    assert refused.status_code == 422
    assert BESIDE_VARIABLE in refused.json()["detail"]


@pytest.mark.parametrize("which", ["nothing", "itself", "other pictures", "cut off"])
def test_what_cannot_be_compared_is_said_and_the_page_goes_on(
    which: str,
    shown: LatentStore,
    small_store: Path,
    reordered: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "other"
    if which == "itself":
        shutil.copytree(small_store, path)
    elif which == "other pictures":
        make_store(path, n_images=40)
    elif which == "cut off":
        shutil.copytree(reordered, path)
    monkeypatch.setenv(BESIDE_VARIABLE, os.pathsep.join([str(path), str(reordered)]))
    if which == "cut off":
        assert len(stores_beside(shown).stores) == 2
        os.truncate(path / "embeddings.npy", 1000)
    words = {
        "nothing": "there is no",
        "itself": "has this store's own SAE",
        "other pictures": "holds other pictures",
        "cut off": "embeddings.npy",
    }
    beside = stores_beside(shown)
    assert [other.path for other in beside.stores] == [reordered]
    (sentence,) = beside.problems
    assert words[which] in sentence, sentence
    html = html_of(run_page("quality"))
    assert "SPARSIGHT_BESIDE" in html
    assert "“reordered” find the same latents?" in html
    latent = int(shown.latents["n_active"].to_numpy().argmax())
    assert "SPARSIGHT_BESIDE" in html_of(run_page("latent", latent=str(latent)))


def test_of_very_many_the_first_are_compared(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BESIDE_VARIABLE, os.pathsep.join(f"/nowhere/{n}" for n in range(MOST + 3)))
    beside = stores_beside(shown)
    assert beside.stores == ()
    assert len(beside.problems) == MOST + 1
    assert f"the first {MOST} of {MOST + 3}" in beside.problems[0]


def test_what_is_hidden_here_is_hidden_there(
    store: LatentStore, beside: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other latent's strongest picture, and the label of others; and a latent of the other store's own list."""
    sizes = store.latents["n_active"].to_numpy()
    latent, spared = np.argsort(-sizes)[:2].tolist()
    strongest = int(store.gallery(latent, 0, 1).image_ids[0])
    label = store.labels.names[0]
    hide = tmp_path / "hide.json"
    hide.write_text(json.dumps({"pictures": [strongest], "labels": [label]}))
    own = beside.path.with_name(f"{beside.path.name}.hide.json")
    own.write_text(json.dumps({"latents": [(spared + SHIFT) % store.n_latents]}))
    monkeypatch.setenv(HIDE_VARIABLE, str(hide))
    try:
        html = html_of(run_page("latent", latent=str(latent)))
        section = html[html.index("Found again?") :]
        section = section[: section.index("Active together") if "Active together" in section else None]
        assert "withheld" in section
        assert f"image={strongest}" not in section
        assert label not in section
        again = html_of(run_page("latent", latent=str(spared)))
        assert f">#{(spared + SHIFT) % store.n_latents}<" not in again[again.index("Found again?") :]
    finally:
        own.unlink()
