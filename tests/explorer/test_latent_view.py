"""A latent's page against figures computed here from the store's codes, embeddings and labels."""

from __future__ import annotations

from collections import Counter
from html import escape
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pandas as pd
import pytest

from explorer.charts import activation_histogram
from explorer.sections import latent_gallery, latent_side
from explorer.sections.bars import label_bars
from explorer.views.beyond_top import MIN_ACTIVE, N_EACH, beyond_top, middle_ranks
from explorer.views.latent import build_latent
from explorer.views.latent_figures import Histogram, effects, histogram, trust
from explorer.views.latent_gallery import (
    DECILES,
    N_RANDOM,
    NEAR,
    PER_DECILE,
    PER_PAGE,
    RANDOM,
    Deciles,
    Draw,
    GalleryQuery,
    NearMissPictures,
    Top,
    build_gallery,
    spread_ranks,
)
from explorer.views.latent_labels import DecilePurity, chance_of, decile_purity, label_shares
from explorer.views.latents import build_latents
from explorer.views.latents_query import LatentsQuery
from explorer.wording import plural
from sae_core import LatentStore
from sae_core.store.records import Effects


def busiest(store: LatentStore) -> int:
    return int(store.latents["n_active"].idxmax())


def members(store: LatentStore, latent: int) -> list[tuple[int, float]]:
    """The gallery, from the codes: image and activation, strongest first, ties by image."""
    indices = np.load(store.path / "codes" / "indices.npy")
    activations = np.load(store.path / "codes" / "activations.npy")
    rows, places = np.nonzero((indices == latent) & (activations > 0))
    found = [(int(row), float(activations[row, place])) for row, place in zip(rows, places, strict=True)]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def cut(items: list[Any]) -> list[list[Any]]:
    """Ten runs that differ by one item at most."""
    bounds = [len(items) * part // 10 for part in range(11)]
    return [items[low:high] for low, high in pairwise(bounds)]


def test_query_drops_what_it_does_not_know() -> None:
    assert GalleryQuery.from_params({"view": "worst", "page": "x", "seed": "-1"}) == GalleryQuery()
    assert GalleryQuery.from_params({"page": "3", "seed": "9"}) == GalleryQuery("", 3, 0)
    assert GalleryQuery.from_params({"view": "random", "page": "3", "seed": "9"}) == GalleryQuery(RANDOM, 1, 9)


@pytest.mark.parametrize(("size", "n"), [(0, 8), (1, 8), (8, 8), (9, 8), (1_000_003, 8)])
def test_ranks_are_different_and_spread_evenly(size: int, n: int) -> None:
    ranks = spread_ranks(100, 100 + size, n)
    assert len(ranks) == len(set(ranks)) == min(size, n)
    assert all(100 <= rank < 100 + size for rank in ranks)
    gaps = np.diff(ranks)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


def test_the_top_is_the_complete_gallery(store: LatentStore) -> None:
    latent = busiest(store)
    first = build_gallery(store, latent, GalleryQuery())
    assert isinstance(first, Top)
    pages = [build_gallery(store, latent, GalleryQuery(page=page)) for page in range(1, first.paging.n_pages + 1)]
    shown = [(tile.image_id, tile.figure) for page in pages if isinstance(page, Top) for tile in page.tiles]
    assert shown == members(store, latent)


def test_deciles_are_ten_equal_parts_strongest_first(store: LatentStore) -> None:
    latent = busiest(store)
    shown = build_gallery(store, latent, GalleryQuery(DECILES))
    assert isinstance(shown, Deciles)
    assert [row.decile for row in shown.rows] == list(range(10, 0, -1))
    for row, part in zip(shown.rows, cut(members(store, latent)), strict=True):
        assert row.n == len(part)
        assert (row.strongest, row.weakest) == (part[0][1], part[-1][1])
        assert [(tile.image_id, tile.figure) for tile in row.tiles] == [
            member for member in part if member in [(tile.image_id, tile.figure) for tile in row.tiles]
        ]
        assert len(row.tiles) == min(PER_DECILE, len(part))


def test_all_of_a_decile_leads_to_its_first_picture(store: LatentStore) -> None:
    latent = busiest(store)
    shown = build_gallery(store, latent, GalleryQuery(DECILES))
    assert isinstance(shown, Deciles)
    for row, part in zip(shown.rows, cut(members(store, latent)), strict=True):
        page = int(row.href.split("page=")[1]) if "page=" in row.href else 1
        top = build_gallery(store, latent, GalleryQuery(page=page))
        assert isinstance(top, Top)
        assert part[0][0] in [tile.image_id for tile in top.tiles]


def test_deciles_of_a_gallery_of_fewer_than_ten(store: LatentStore) -> None:
    few = store.latents[store.latents["n_active"].between(1, 9)]
    assert len(few), "the small store has rare latents"
    latent = int(few.index[0])
    shown = build_gallery(store, latent, GalleryQuery(DECILES))
    assert isinstance(shown, Deciles)
    assert shown.rows == ()
    view = build_latent(store, latent, GalleryQuery(DECILES))
    assert view.histogram is not None and view.histogram.marks == ()
    assert activation_histogram(view.histogram).layout.xaxis.title.text == "activation"
    assert view.purity is not None and not view.purity.whole
    assert f"{plural(len(members(store, latent)), 'picture')} cannot be cut into ten parts" in latent_gallery.gallery(
        view
    )
    assert 'class="sp-deciles"' not in latent_side.side(view)


@pytest.mark.parametrize(
    ("n", "said"), [(10, "ten equal parts"), (15, "ten parts of 1 or 2"), (101, "ten equal parts")]
)
def test_how_equal_ten_parts_are(n: int, said: str) -> None:
    assert latent_gallery._parts(n) == said


def test_random_members_are_drawn_by_the_seed(store: LatentStore) -> None:
    latent = busiest(store)
    draws = [build_gallery(store, latent, GalleryQuery(RANDOM, seed=seed)) for seed in (0, 0, 1)]
    assert all(isinstance(draw, Draw) and len(draw.tiles) == N_RANDOM for draw in draws)
    assert draws[0] == draws[1]
    assert draws[0].tiles != draws[2].tiles
    drawn = [(tile.image_id, tile.figure) for tile in draws[0].tiles]
    everything = members(store, latent)
    assert len(set(drawn)) == N_RANDOM
    assert set(drawn) <= set(everything)
    assert drawn != sorted(drawn, key=everything.index), "strongest first it would look like the top"
    assert set(drawn) != set(everything[:N_RANDOM])
    assert isinstance(draws[0], Draw)
    assert draws[0].again == f"latent?latent={latent}&view=random&seed=1"


def test_a_draw_from_few_is_all_of_them(store: LatentStore) -> None:
    latent = int(store.latents[store.latents["n_active"].between(1, N_RANDOM)].index[0])
    shown = build_gallery(store, latent, GalleryQuery(RANDOM, seed=5))
    assert isinstance(shown, Draw)
    assert shown.again is None
    assert [(tile.image_id, tile.figure) for tile in shown.tiles] == members(store, latent)


def test_near_misses_are_exact(store: LatentStore) -> None:
    """Against all pre-activations of the store, from its SAE's weights."""
    sae = store.sae()
    embeddings = np.stack([store.embedding(image_id) for image_id in range(store.n_images)])
    pre = embeddings @ sae.W_enc.detach().numpy() + sae.b_enc.detach().numpy()
    kept = np.load(store.path / "codes" / "indices.npy")
    lowest = np.load(store.path / "codes" / "activations.npy")[:, -1]
    some = 0
    for latent in range(store.n_latents):
        shown = build_gallery(store, latent, GalleryQuery(NEAR))
        assert isinstance(shown, NearMissPictures)
        lost = [i for i in range(store.n_images) if latent not in kept[i] and pre[i, latent] > 1e-5]
        lost.sort(key=lambda i: (-pre[i, latent], i))
        assert len(shown.tiles) == pytest.approx(min(len(lost), 48), abs=1)  # one may be 0 up to rounding
        assert shown.complete == (len(shown.tiles) < 48)
        for tile, expected in zip(shown.tiles, lost, strict=False):
            assert tile.figure == pytest.approx(pre[expected, latent], abs=1e-5)
            assert tile.figure == pytest.approx(pre[tile.image_id, latent], abs=1e-5)
            assert tile.lost_to == lowest[tile.image_id]
            assert tile.figure <= tile.lost_to + 1e-5
            assert "pre-activation" in tile.hint
            assert "lost to" in tile.hint
        some += len(shown.tiles)
    assert some > 100


def test_histogram_and_marks(store: LatentStore) -> None:
    latent = busiest(store)
    view = histogram(store, latent)
    assert view is not None
    activations = [activation for _, activation in members(store, latent)]
    counts, edges = np.histogram(activations, bins=len(view.counts), range=(0, max(activations)))
    assert list(view.counts) == counts.tolist()
    assert np.allclose(view.edges, edges, rtol=1e-6)
    assert len(view.marks) == 9
    for mark, stronger in zip(view.marks, range(9, 0, -1), strict=True):
        parts = cut(activations)[:stronger]  # deciles 10 down to 11 - stronger
        assert mark == parts[-1][-1]


def test_labels_by_share_and_decile(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    latent = busiest(store)
    labels = [store.image(image_id).label for image_id in range(store.n_images)]
    gallery = [labels[image_id] for image_id, _ in members(store, latent)]
    here, everywhere = Counter(gallery), Counter(labels)
    shares = label_shares(store, latent)
    assert [item.n for item in shares] == [n for _, n in here.most_common(len(shares))]
    for item in shares:
        assert item.n == here[item.label]
        assert item.share == here[item.label] / len(gallery)
        assert item.store_share == everywhere[item.label] / store.n_images
        n_latents = int((store.latents["top_label"] == item.label).sum())
        assert (item.href is not None) == (n_latents > 0)
        if item.href:
            query = dict(parse_qsl(urlsplit(item.href).query))
            assert build_latents(store, LatentsQuery.from_params(query)).paging.n_items == n_latents
            assert f'href="{escape(item.href)}">{item.label}</a>' in label_bars([item])
    assert shares[0].href
    monkeypatch.setattr("explorer.views.latent_table.MAX_LABELS", 0)
    assert label_shares(store, latent) == shares, "how many labels a form offers has nothing to do with it"
    purity = decile_purity(store, latent)
    assert purity is not None
    assert purity.label == shares[0].label
    assert purity.store_share == shares[0].store_share
    rng, everything = np.random.default_rng(0), [store.labels.counts[code] for code in range(len(store.labels.counts))]
    drawn = rng.multinomial(len(gallery), np.array(everything) / sum(everything), 4_000).max(1) / len(gallery)
    assert purity.random == pytest.approx(drawn.mean(), abs=0.05)
    for decile, part in zip(range(10, 0, -1), cut(gallery), strict=True):
        assert purity.share(decile) == part.count(purity.label) / len(part)


def test_random_galleries_have_unlabelled_pictures_too() -> None:
    """Of 100 pictures 40 carry a label, of the latent's 20 eight do, all the same one: as in any random gallery."""
    store: Any = SimpleNamespace(
        path="half labelled",
        version="of this test",
        n_images=100,
        latents=pd.DataFrame({"n_active": [20]}),
        labels=SimpleNamespace(titles=["a"], counts=np.array([40])),
        controls=None,
        label_profile=lambda _: SimpleNamespace(codes=np.array([0]), counts=np.array([[0, 1] * 4 + [2, 2]])),
        gallery_size=lambda _: 20,
        decile_range=lambda _, decile: (20 - 2 * decile, 22 - 2 * decile),
    )
    purity = decile_purity(store, 0)
    assert purity is not None
    assert purity.store_share == purity.random == sum(purity.counts) / sum(purity.sizes) == 0.4
    assert purity.by_chance > 0.5


def test_the_chance_of_a_label_in_a_random_gallery_is_bounded() -> None:
    counts, rng = np.array([500, 300, 100]), np.random.default_rng(0)  # of 1,000 pictures
    drawn = rng.multivariate_hypergeometric([*counts, 100], 20, 20_000)[:, :3].max(1)
    for n_most in (12, 14, 16):
        chance = (drawn >= n_most).mean()
        assert chance - 0.003 < chance_of(n_most, 20, counts, 1_000) < 1.25 * chance + 0.002
    assert chance_of(1, 20, counts, 1_000) == 1
    assert chance_of(501, 600, counts, 1_000) == 0, "no label has so many"


def test_an_empty_decile_has_no_share() -> None:
    purity = DecilePurity("a", counts=(0, 1), sizes=(0, 2), store_share=0.5, random=0.75, by_chance=0.5)
    assert (purity.share(1), purity.share(2)) == (None, 0.5)


def test_latents_active_together(store: LatentStore) -> None:
    """Counts and lifts from the codes; ranked by the certain part of the lift."""
    found, shares = 0, store.latents["density"].to_numpy()
    counts = [len(store.code(image).latents) for image in range(store.n_images)]
    independent = (shares * (1 - shares)).sum()
    bond = (np.var(counts) - independent) / independent**2
    for latent in range(store.n_latents):
        mine = {image for image, _ in members(store, latent)}
        together = build_latent(store, latent).together
        for item in together:
            other = {image for image, _ in members(store, item.card.ref.latent)}
            assert item.n_both == len(mine & other) > 0
            tied = 1 + bond * (1 - shares[latent]) * (1 - shares[item.card.ref.latent])
            by_chance = len(mine) * len(other) / store.n_images * tied
            assert item.lift == pytest.approx(item.n_both / by_chance, rel=1e-5)
            assert 0 < item.lift_low < item.lift
            assert item.href == f"pictures?all_of={latent},{item.card.ref.latent}"
            assert len(item.card.tiles) == min(4, len(other))
        lows = [item.lift_low for item in together]
        assert lows == sorted(lows, reverse=True)
        assert latent not in [item.card.ref.latent for item in together]
        found += len(together)
    assert found


def test_effects_stand_out_from_all_latents(store: LatentStore) -> None:
    """z from the labels' texts and the directions, computed here; what is not shown is moved less than what is."""
    directions = store.sae().W_dec.detach().numpy()
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    titles = list(store.labels.titles)
    cosines = directions @ np.asarray(store.load_encoder().encode_texts(titles)).T
    z = (cosines - cosines.mean(0)) / cosines.std(0)
    shown = 0
    for latent in range(store.n_latents):
        moved = effects(store, latent)
        for effect in (*moved.raised, *moved.lowered):
            assert effect.z == pytest.approx(z[latent, titles.index(effect.label)], abs=2e-3)
            assert effect.cosine == pytest.approx(cosines[latent, titles.index(effect.label)], abs=1e-4)
        up, down = [effect.z for effect in moved.raised], [effect.z for effect in moved.lowered]
        assert up == sorted(up, reverse=True)
        assert down == sorted(down)
        named = {effect.label for effect in (*moved.raised, *moved.lowered)}
        for other in (z[latent, column] for column, title in enumerate(titles) if title not in named):
            assert (other < min(up) + 2e-3) if other > 0 and up else True
            assert (other > max(down) - 2e-3) if other < 0 and down else True
        shown += len(named)
    assert shown > store.n_latents


def test_effects_part_at_the_baseline() -> None:
    z = np.array([2.0, 0.5, -1.5, -0.1], dtype=np.float32)
    found = Effects(np.array([1, 3, 0, 2]), z / 10, z)
    labels = SimpleNamespace(titles=list("abcd"))
    store: Any = SimpleNamespace(labels=labels, effects=lambda latent: found, controls=None)
    moved = effects(store, 0)
    assert [(effect.label, effect.z) for effect in moved.raised] == [("b", 2.0), ("d", 0.5)]
    assert [(effect.label, effect.z) for effect in moved.lowered] == [("a", -1.5), ("c", pytest.approx(-0.1))]


def test_trust_has_its_baselines(store: LatentStore) -> None:
    latent = busiest(store)
    found = {item.name: item for item in trust(store, latent)}
    gallery = members(store, latent)
    e = np.stack([store.embedding(image_id) for image_id, _ in gallery]).astype(np.float64)
    a = np.array([activation for _, activation in gallery])
    pairs = np.outer(a, a) * (1 - np.eye(len(a)))
    expected = ((e @ e.T) * pairs).sum() / pairs.sum()
    assert found["monosemanticity"].value == pytest.approx(expected, abs=1e-4)
    assert found["monosemanticity"].baseline == store.manifest.report.monosemanticity_baseline
    assert found["split-half stability"].baseline == store.manifest.report.split_half_baseline
    assert -1 <= found["split-half stability"].value <= 1


def test_a_dead_latent_has_near_misses_and_a_direction(store: LatentStore) -> None:
    dead = int(store.latents.index[store.latents["n_active"] == 0][0])
    view = build_latent(store, dead, GalleryQuery(DECILES))
    assert isinstance(view.shown, NearMissPictures)
    assert (view.histogram, view.purity, view.labels, view.together) == (None, None, (), ())
    assert view.effects.raised or view.effects.lowered


@pytest.mark.parametrize("view", ["", DECILES, RANDOM, NEAR])
def test_a_view_reads_no_more_than_it_shows(store: LatentStore, monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    """Whatever the size of the gallery: slices of a page at most, and two look-ups of picture rows."""
    asked: list[int] = []
    looked_up: list[int] = []
    gallery, images = LatentStore.gallery, LatentStore.images

    def small(self: LatentStore, latent: int, start: int = 0, stop: int | None = None) -> Any:
        assert stop is not None, "a whole gallery was read"
        asked.append(stop - start)
        return gallery(self, latent, start, stop)

    def counted(self: LatentStore, image_ids: Any) -> Any:
        looked_up.append(len(image_ids))
        return images(self, image_ids)

    monkeypatch.setattr(LatentStore, "gallery", small)
    monkeypatch.setattr(LatentStore, "images", counted)
    build_latent(store, busiest(store), GalleryQuery(view))
    assert max(asked) <= PER_PAGE
    assert len(looked_up) <= 2


def test_the_chart_says_its_axes_and_draws_its_marks() -> None:
    drawn = activation_histogram(Histogram((0.0, 1.0, 2.0), (1000, 1), (0.25, 0.5)))
    assert drawn.layout.yaxis.type == "log"
    assert "log" in drawn.layout.yaxis.title.text
    assert drawn.layout.xaxis.title.text == "activation (lines: deciles)"
    assert tuple(drawn.data[0].y) == (1000, 1)
    assert [(shape.x0, shape.x1) for shape in drawn.layout.shapes] == [(0.25, 0.25), (0.5, 0.5)]
    assert drawn.layout.yaxis.range[0] < 0, "a bin of one picture has a bar"


def with_near_misses(store: LatentStore) -> int:
    """The busiest that has some."""
    busy = store.latents["n_active"].sort_values(ascending=False)
    return next(int(latent) for latent in busy.index if len(store.near_misses(int(latent)).image_ids) >= N_EACH)


def test_beside_the_strongest_stand_middle_weakest_and_near_misses(store: LatentStore) -> None:
    latent = with_near_misses(store)
    everything = members(store, latent)
    shown = build_gallery(store, latent, GalleryQuery())
    assert isinstance(shown, Top)
    middle, weakest, near = shown.beyond
    assert [(tile.image_id, tile.figure) for tile in weakest.tiles] == everything[-N_EACH:]
    halves = {everything[(len(everything) - 1) // 2], everything[len(everything) // 2]}
    assert halves <= {(tile.image_id, tile.figure) for tile in middle.tiles}, "the median lies between these"
    assert len(middle.tiles) == N_EACH
    assert list(middle.figures) == sorted((tile.figure for tile in middle.tiles if tile.figure), reverse=True)
    missed = build_gallery(store, latent, GalleryQuery(NEAR))
    assert isinstance(missed, NearMissPictures)
    assert [tile.image_id for tile in near.tiles] == [tile.image_id for tile in missed.tiles[:N_EACH]]
    assert "pre-activation" in near.tiles[0].hint and "pre-activation" not in weakest.tiles[0].hint


def test_middle_and_weakest_lead_to_their_pages(store: LatentStore) -> None:
    latent = with_near_misses(store)
    shown = build_gallery(store, latent, GalleryQuery())
    assert isinstance(shown, Top)
    for one in shown.beyond[:2]:
        page = int(one.href.split("page=")[1]) if "page=" in one.href else 1
        there = build_gallery(store, latent, GalleryQuery(page=page))
        assert isinstance(there, Top)
        assert {one.tiles[0].image_id, one.tiles[-1].image_id} & {tile.image_id for tile in there.tiles}
    assert shown.beyond[2].href == f"latent?latent={latent}&view=near"


@pytest.mark.parametrize(("n", "ranks"), [(18, (6, 11)), (19, (7, 12)), (64, (29, 34))])
def test_the_middle_is_about_the_median(n: int, ranks: tuple[int, int]) -> None:
    assert middle_ranks(n) == ranks


def test_what_is_seen_anyway_is_not_shown_twice(store: LatentStore) -> None:
    """A gallery of a few rows, and later pages."""
    few = int(store.latents[store.latents["n_active"].between(1, MIN_ACTIVE - 1)].index[0])
    assert {one.kind for one in beyond_top(store, few, PER_PAGE)} <= {"near"}
    shown, later = (
        build_gallery(store, few, GalleryQuery()),
        build_gallery(store, busiest(store), GalleryQuery(page=2)),
    )
    assert isinstance(shown, Top) and {one.kind for one in shown.beyond} <= {"near"}
    assert isinstance(later, Top) and later.paging.page == 2 and later.beyond == ()
