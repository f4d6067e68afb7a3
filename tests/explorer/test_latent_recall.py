"""Pictures that carry a latent's label or name, in which it is not active."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from explorer.views import latent_recall
from explorer.views.latent_recall import recalls
from explorer.views.names import LatentName, display_name
from explorer.views.pictures import build_pictures
from explorer.views.pictures_query import PicturesQuery
from explorer.wording import percent
from sae_core import LatentStore
from sae_core.store.hidden import HideList
from tests.explorer.conftest import html_of, run_page


def alive(store: LatentStore, n: int = 6) -> list[int]:
    return [int(latent) for latent in store.latents["n_active"].nlargest(n).index]


def query_of(href: str) -> PicturesQuery:
    return PicturesQuery.from_params(dict(parse_qsl(urlsplit(href).query)))


def test_label_and_name_are_counted_from_the_records(store: LatentStore) -> None:
    records = store.images(range(store.n_images))
    for latent in alive(store):
        active = set(store.gallery(latent).image_ids.tolist())
        label, name = recalls(store, latent, LatentName("number 1"))
        with_label = {record.image_id for record in records if record.label == label.text}
        said = {record.image_id for record in records if "number 1" in (record.caption or "")}
        assert (label.by_label, label.n_active, label.n) == (True, len(with_label & active), len(with_label))
        assert (name.by_label, name.n_active, name.n) == (False, len(said & active), len(said))
        for found in (label, name):
            assert build_pictures(store, query_of(found.href)).n == found.n_missed


def test_a_name_that_is_the_label_is_said_once(store: LatentStore) -> None:
    latent = alive(store)[0]
    (label,) = recalls(store, latent, LatentName(None, guess="weak"))
    assert recalls(store, latent, LatentName(label.text.upper())) == (label,)
    assert recalls(store, latent, LatentName("nobody says this")) == (label,), "a word of CLIP's alone finds nothing"
    dead = int(store.latents.index[store.latents["n_active"] == 0][0])
    assert recalls(store, dead, LatentName("number")) == ()


def test_withheld_pictures_do_not_count(store: LatentStore) -> None:
    latent = alive(store)[0]
    (label,) = recalls(store, latent, LatentName(None))
    labelled = [record.image_id for record in store.images(range(store.n_images)) if record.label == label.text]
    open_ = LatentStore.open(store.path, hide=HideList(pictures=(labelled[0],)))
    (fewer,) = recalls(open_, latent, LatentName(None))
    assert fewer.n == len(labelled) - 1
    assert build_pictures(open_, query_of(fewer.href)).n == fewer.n_missed
    gone = LatentStore.open(store.path, hide=HideList(labels=(label.text,)))
    assert [one.text for one in recalls(gone, latent, LatentName(None))] != [label.text]


def test_of_many_pictures_words_are_not_counted_on_the_way(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_recall, "_MOST", 100)
    label, name = recalls(store, alive(store)[0], LatentName("number 1"))
    assert label.n is not None and (name.n, name.n_missed, name.share) == (None, None, None)
    assert build_pictures(store, query_of(name.href)).n > 0


def test_the_page_leads_to_what_the_gallery_hides(shown: LatentStore) -> None:
    latent, found = next(
        (latent, one)
        for latent in alive(shown, 40)
        for one in recalls(shown, latent, display_name(shown, latent))
        if one.by_label and one.n_missed
    )
    assert found.share is not None and found.n_missed
    html = html_of(run_page("latent", latent=str(latent)))
    assert f"{found.n_missed:,} more, where it is not active" in html
    assert f'href="pictures?none_of={latent}&amp;label={found.text.replace(" ", "+")}"' in html
    density = percent(float(shown.latents["density"][latent]))
    assert f'{percent(found.share)} <span class="sp-dim">/ {density}</span>' in html
