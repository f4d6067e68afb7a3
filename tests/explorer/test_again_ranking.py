"""Latents listed and coloured by how near another SAE's directions come."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.beside import BESIDE_VARIABLE, Beside
from explorer.routes import routes
from explorer.views.latents import build_latents
from explorer.views.latents_query import LatentsQuery
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page


@pytest.fixture
def other(halved: Path, monkeypatch: pytest.MonkeyPatch) -> LatentStore:
    monkeypatch.setenv(BESIDE_VARIABLE, str(halved))
    return LatentStore.open(halved)


def mark(other: LatentStore) -> str:
    return other.manifest.sae.fingerprint[:12]


def listed(store: LatentStore, other: LatentStore, **params: str) -> list[int]:
    pages = []
    for page in range(1, 1 + -(-store.n_latents // 24)):
        query = LatentsQuery.from_params({"again": mark(other), "life": "alive", "page": str(page), **params})
        pages += [one.card.ref.latent for one in build_latents(store, query, beside=Beside((other,))).found]
    return list(dict.fromkeys(pages))


def test_the_order_is_that_of_the_nearest_directions(store: LatentStore, other: LatentStore) -> None:
    ours, theirs = (np.flatnonzero(one.latents["n_active"].to_numpy() > 0) for one in (store, other))
    nearest = (store.directions[ours] @ other.directions[theirs].T).max(1)
    scores = dict(zip(ours.tolist(), nearest.tolist(), strict=True))
    for params, falling in (({}, True), ({"least": "yes"}, False)):
        found = listed(store, other, **params)
        assert sorted(found) == ours.tolist()
        steps = np.diff([scores[latent] for latent in found])
        assert ((steps <= 1e-6) if falling else (steps >= -1e-6)).all()
    assert nearest.min() < 0.9 < nearest.max()
    alone = LatentsQuery(again=mark(other), latents=(int(ours[0]),))
    (card,) = build_latents(store, alone, beside=Beside((other,))).found
    assert float(card.scores[0].value) == pytest.approx(nearest[0], abs=6e-4)


def test_the_dead_come_last_either_way(store: LatentStore, other: LatentStore) -> None:
    dead = set(np.flatnonzero(store.latents["n_active"].to_numpy() == 0).tolist())
    assert dead
    for params in ({}, {"least": "yes"}):
        assert set(listed(store, other, life="", **params)[-len(dead) :]) == dead


def test_the_page_says_what_it_orders_by_and_turns_it(shown: LatentStore, other: LatentStore) -> None:
    html = html_of(run_page("latents", again=mark(other)))
    assert "Most found again by the SAE of “halved”" in html
    assert re.search(r"Of random directions with the pictures’ covariance half have one at 0\.\d+ or more", html)
    assert f'href="latents?again={mark(other)}&amp;least=yes">least first</a>' in html
    assert f'<input type="hidden" name="again" value="{mark(other)}">' in html
    assert 'aria-label="remove the filter found again by SAE' in html
    html = html_of(run_page("latents", again=mark(other), least="yes"))
    assert "Least found again by the SAE of “halved”" in html
    assert f'href="latents?again={mark(other)}">most first</a>' in html


def coloured(store: LatentStore, said: str, client: TestClient) -> np.ndarray:
    """The third number of every point."""
    answer = client.get(f"/points/{store.version}", params={"color": said})
    assert answer.status_code == 200
    assert "no-cache" in answer.headers["cache-control"], "the other store may be built again"
    return np.frombuffer(answer.content, "<f4").reshape(-1, 3)[:, 2]


def test_the_map_is_coloured_by_it(shown: LatentStore, other: LatentStore) -> None:
    ours, theirs = (np.flatnonzero(one.latents["n_active"].to_numpy() > 0) for one in (shown, other))
    nearest = (shown.directions[ours] @ other.directions[theirs].T).max(1)
    colors = coloured(shown, f"again:{mark(other)}", TestClient(Starlette(routes=routes())))
    assert np.isnan(np.delete(colors, ours)).all(), "the dead are grey"
    low, high = np.quantile(nearest, (0.01, 0.99))
    np.testing.assert_allclose(colors[ours], np.clip((nearest - low) / (high - low), 0, 1), atol=1e-4)
    html = html_of(run_page("map", color=f"again:{mark(other)}"))
    assert f'<option value="again:{mark(other)}" selected>found again by halved</option>' in html
    assert re.search(r"baseline 0\.\d+", html)
    assert f"points/{shown.version}?color=again:{mark(other)}" in html


def test_a_colour_of_no_sae_is_said(shown: LatentStore) -> None:
    html = html_of(run_page("map", color="again:00ff00ff00ff"))
    assert "No store beside this one has the SAE 00ff00ff00ff; SPARSIGHT_BESIDE names such stores." in html
    assert "found again by" not in html
    assert "color=again:x" in html_of(run_page("map", color="again:x")), "what cannot be read is left out, and said"
    colors = coloured(shown, "again:00ff00ff00ff", TestClient(Starlette(routes=routes())))
    assert np.isnan(colors).all()


def test_pages_lead_there(shown: LatentStore, other: LatentStore) -> None:
    latent = int(shown.latents["n_active"].to_numpy().argmax())
    for html in (html_of(run_page("quality")), html_of(run_page("latent", latent=str(latent)))):
        assert f'href="latents?again={mark(other)}"' in html


@pytest.mark.parametrize("said", ["00ff00ff00ff", "another one"])
def test_an_sae_that_is_not_there_is_said(shown: LatentStore, said: str) -> None:
    html = html_of(run_page("latents", again=said))
    assert 'class="sp-card' in html, "the grid is there all the same"
    if said == "another one":
        assert "again=another one" in html
    else:
        assert "no store beside this one has the SAE 00ff00ff00ff; SPARSIGHT_BESIDE names such stores." in html
