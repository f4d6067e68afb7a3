"""The geometry of a choice: coordinates against least squares, labels against plain counts, every state of the page."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from explorer.geometry_charts import plane_chart, points_csv
from explorer.label_charts import label_csv, label_heat_map
from explorer.views.geometry import Geometry, build_geometry
from explorer.views.geometry_query import GeometryQuery
from explorer.views.label_concepts import build_label_concepts
from explorer.views.resolved import Resolved, Uploaded, resolve
from explorer.views.selection import read_selection
from explorer.views.sides import ranked_latents, span_latents
from sae_core import LatentStore
from sae_core.store.hidden import HideList
from tests.explorer.conftest import html_of, run_page


def chosen(store: LatentStore, said: str) -> Resolved:
    selection = read_selection(store, said)
    assert selection
    mine = Uploaded("mine.jpg", store.embedding(11))
    return resolve(store, selection, lambda text: store.embedding(len(text)), mine)


def seen(store: LatentStore, said: str = "label:red things", **params: str) -> Geometry:
    return build_geometry(store, chosen(store, said), GeometryQuery.from_params(params))


def alive(store: LatentStore, n: int) -> list[int]:
    return store.latents.index[store.latents.n_active > 3].tolist()[:n]


def dead(store: LatentStore) -> int:
    return int(np.flatnonzero(store.latents.n_active == 0)[0])


def test_the_strongest_two_concepts_are_the_axes(store: LatentStore) -> None:
    view = seen(store)
    assert [ref.latent for ref in view.concepts] == span_latents(chosen(store, "label:red things"))[:2]
    assert view.planes == ((0, 1),)
    assert view.remarks == ()


@pytest.mark.parametrize("origin", ["", "zero"])
def test_coordinates_are_those_along_orthonormal_axes(store: LatentStore, origin: str) -> None:
    """Least squares on the directions gives the same projection; the first coordinate is the first product."""
    latents = alive(store, 3)
    view = seen(store, axes=",".join(map(str, latents)), origin=origin)
    assert view.planes == ((0, 1), (0, 2), (1, 2))
    directions = store.directions[latents].astype("f8")
    for group in view.groups:
        for point in group.points[:5]:
            assert point.image_id is not None
            x = store.embedding(point.image_id).astype("f8") - (0 if origin else store.mean_embedding)
            assert point.at[0] == pytest.approx(x @ directions[0], abs=1e-6)
            inside = directions.T @ np.linalg.lstsq(directions.T, x)[0]
            assert np.linalg.norm(point.at) == pytest.approx(np.linalg.norm(inside), abs=1e-6)
    for direction, row in zip(view.directions, directions, strict=True):
        assert np.linalg.norm(direction) == pytest.approx(np.linalg.norm(row), abs=1e-5)
    assert np.array(view.cosines) == pytest.approx(directions @ directions.T, abs=1e-6)


def test_every_picture_is_one_point(store: LatentStore) -> None:
    view = seen(store)
    ids = [point.image_id for group in view.groups for point in group.points]
    assert len(ids) == len(set(ids))
    assert {point.image_id for point in view.groups[0].points} == set(
        chosen(store, "label:red things").image_ids.tolist()
    )
    again = seen(store)
    assert ids == [point.image_id for group in again.groups for point in group.points]
    galleries = [group for group in view.groups if group.name.startswith("gallery of #")]
    for group in galleries:
        members = store.gallery(int(group.name.split("#")[1])).image_ids.tolist()
        assert {point.image_id for point in group.points} <= set(members)


def test_equal_directions_add_no_axis(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = alive(store, 3)
    directions = store.directions.copy()
    directions[second] = -directions[first]
    monkeypatch.setitem(store.__dict__, "directions", directions)
    view = seen(store, axes=f"{first},{second},{third}")
    assert [axis.ref.latent for axis in view.axes] == [first, third]
    assert f"#{second} adds no axis" in view.remarks[0]
    assert len(view.planes) == 1
    assert seen(store, axes=f"{first},{second}").planes == ()


def test_dead_latents_are_axes_and_it_is_said(store: LatentStore) -> None:
    view = seen(store, axes=f"{dead(store)},{alive(store, 1)[0]}")
    assert view.planes
    assert f"#{dead(store)} is dead" in view.remarks[0]


@pytest.mark.parametrize(
    ("axes", "remark"),
    [("x,1", "“x” is no number of a latent."), ("99999", "There is no latent 99999"), ("1,2,3,4", "3 axes at most")],
)
def test_what_is_no_axis_is_said(store: LatentStore, axes: str, remark: str) -> None:
    view = seen(store, axes=axes)
    assert any(remark in one for one in view.remarks)
    assert view.planes


def test_one_named_axis_is_given_a_second(store: LatentStore) -> None:
    one = alive(store, 1)[0]
    view = seen(store, axes=str(one))
    strongest = [latent for latent in ranked_latents(chosen(store, "label:red things")) if latent != one]
    assert [ref.latent for ref in view.concepts] == [one, strongest[0]]


def test_three_chosen_latents_are_three_axes(store: LatentStore) -> None:
    latents = alive(store, 3)
    view = seen(store, "latents:" + ",".join(map(str, latents)))
    assert [ref.latent for ref in view.concepts] == latents


def test_an_upload_is_a_point_that_leads_nowhere(store: LatentStore) -> None:
    mine = seen(store, "upload").groups[0]
    assert [(point.image_id, point.href, point.src) for point in mine.points] == [(None, "", None)]


def test_shares_of_labels_against_a_plain_count(store: LatentStore) -> None:
    view = build_label_concepts(store, chosen(store, "label:red things"))
    assert view
    assert view.labels[0].title == "red things"
    assert [label.own for label in view.labels] == [True, False, False][: len(view.labels)]
    for ref, row in zip(view.concepts, view.shares, strict=True):
        for label, share in zip(view.labels, row, strict=True):
            images = store.images_of_label(store.labels.titles.index(label.title))
            n = sum(ref.latent in store.code(int(image)).latents for image in images)
            assert share == pytest.approx(n / len(images))
    assert view.densities == tuple(float(store.latents.density[ref.latent]) for ref in view.concepts)


def test_labels_of_withheld_pictures_are_not_told_apart(store: LatentStore) -> None:
    """A label that is withheld has no column, and of one that is left a single picture the shares are that one's."""
    left, *others = store.images_of_label(store.labels.titles.index("red things")).tolist()
    hide = HideList(labels=("green things",), pictures=tuple(others))
    view = build_label_concepts(some := LatentStore.open(store.path, hide=hide), chosen(some, "label:red things"))
    assert view
    assert [(label.title, label.n) for label in view.labels] == [("red things", 1), ("blue things", 60)]
    assert [row[0] for row in view.shares] == [1.0] * len(view.concepts)
    assert {ref.latent for ref in view.concepts} <= set(store.code(left).latents.tolist())


def test_plots_carry_what_the_tables_say(store: LatentStore) -> None:
    view = seen(store)
    figure = plane_chart(view, 0, 1, 400)
    rows = list(csv.DictReader(points_csv(view).splitlines()))
    assert len(rows) == sum(len(trace.x) for trace in figure.data)
    top = figure.data[-1]  # the choice's own pictures
    assert [float(row[f"along_{view.axes[0].ref.latent}"]) for row in rows[: len(top.x)]] == pytest.approx(top.x)
    assert top.customdata[0][0] == f"inspect?image={rows[0]['image']}"
    assert top.customdata[0][1].startswith("thumb/")
    labels = build_label_concepts(store, chosen(store, "label:red things"))
    assert labels
    heat = label_heat_map(labels)
    assert [row[0] for row in heat.data[0].z] == list(labels.densities)
    assert len(label_csv(labels).splitlines()) == 1 + len(labels.concepts)


def test_a_name_by_clip_keeps_its_sign_in_the_table_of_labels(store: LatentStore) -> None:
    labels = build_label_concepts(store, chosen(store, "label:red things"))
    assert labels
    ref = replace(labels.concepts[0], name="fog", by_clip=True)
    labels = replace(labels, concepts=(ref, *labels.concepts[1:]))
    assert label_heat_map(labels).layout.yaxis.ticktext[0] == f"#{ref.latent} ~fog"
    assert label_csv(labels).splitlines()[1].startswith(f"{ref.latent},~fog,")


def test_page_of_a_label(shown: LatentStore) -> None:
    html = html_of(run_page("spans", of="label:red things"))
    for said in ("Where do these pictures lie", "Cosines between the directions", "Which labels do these concepts"):
        assert said in html
    assert "How does another span lie to this one?" in html


def test_page_with_three_axes_and_another_choice(shown: LatentStore) -> None:
    latents = ",".join(map(str, alive(shown, 3)))
    few = run_page("spans", of="label:red things")
    app = run_page("spans", of="label:red things", axes=latents, **{"with": "label:green things"})
    html = html_of(app)
    assert len(app.get("plotly_chart")) == len(few.get("plotly_chart")) + 3  # two planes, and the angles
    assert 'name="with" value="label:green things"' in html
    assert 'href="compare?a=label:red+things&amp;b=label:green+things"' in html
    assert '<input type="hidden" name="of" value="label:red things">' in html


@pytest.mark.parametrize("said", ["image:7", "image:7,8,7", "#1 #2", "text:no latent matches this"])
def test_pages_of_other_choices(shown: LatentStore, said: str) -> None:
    if said.startswith("#"):
        said = "latents:" + ",".join(map(str, alive(shown, 1)))
    assert "Where do these pictures lie" in html_of(run_page("spans", of=said))


def test_another_choice_that_is_not_there_is_one_sentence(shown: LatentStore) -> None:
    html = html_of(run_page("spans", of="image:7", **{"with": "image:999"}))
    assert "There is no picture 999" in html


def test_a_store_without_labels(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    none = shown.labels._replace(
        codes=np.full(shown.n_images, -1), names=[], titles=[], counts=np.zeros(0, dtype=np.int64)
    )
    monkeypatch.setattr(LatentStore, "labels", property(lambda _: none))
    html = html_of(run_page("spans", of="image:7"))
    assert "pictures have no labels: there is nothing to count" in html
