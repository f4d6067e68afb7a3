"""Scores taken apart and edited codes, against what NumPy says about the same store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from explorer.score_charts import waterfall, waterfall_csv
from explorer.sections import code_rows
from explorer.sections.scores import _nothing, in_words
from explorer.views.code_rows import build_rows
from explorer.views.edits import build_edit
from explorer.views.inspect_query import MAX_PROMPT, MAX_PROMPTS, Addition, edit_text, read_inspect, usual_activation
from explorer.views.inspection import build_inspection, kept_code, store_source
from explorer.views.scores import N_STEPS, Score, Step, build_scores, default_prompts, suggested_labels
from explorer.wording import activation
from sae_core import LatentStore
from sae_core.errors import SparsightError
from sae_core.store.records import KeptCode


def embedder(store: LatentStore) -> Callable[[str], np.ndarray]:
    """Texts as pseudo-random directions: the sums do not care what they mean."""

    def embed(text: str) -> np.ndarray:
        vector = np.random.default_rng(sum(text.encode())).normal(size=store.manifest.d_embed).astype(np.float32)
        return np.asarray(vector / np.linalg.norm(vector))

    return embed


def dead(store: LatentStore) -> int:
    return int(np.flatnonzero(store.latents["density"].to_numpy() == 0)[0])


@pytest.mark.parametrize("image_id", [0, 7, 42])
def test_the_bars_add_up_to_the_score(store: LatentStore, image_id: int) -> None:
    embed = embedder(store)
    view = build_scores(store, store_source(store, image_id), ("a", "b", "c"), 1, embed)
    assert view.score.text == "b"
    cosine = float(embed("b").astype(float) @ store.embedding(image_id).astype(float))
    assert sum(step.value for step in view.steps) == pytest.approx(cosine, abs=1e-5)
    assert view.score.picture == pytest.approx(cosine, abs=1e-5)
    assert view.score.edited is None
    bars = waterfall(view).data[0]
    assert bars.base[-1] == 0
    assert bars.x[-1] == pytest.approx(cosine, abs=1e-5)
    assert bars.base[-2] + bars.x[-2] == pytest.approx(cosine, abs=1e-5), "the last part ends at the score"
    assert np.allclose(np.add(bars.base[:-2], bars.x[:-2]), bars.base[1:-1]), "each begins where the one above ends"


def test_baselines_are_the_stores_own(store: LatentStore) -> None:
    embed = embedder(store)
    view = build_scores(store, store_source(store, 3), ("a",), 0, embed)
    scores = store.embeddings(range(store.n_images)).astype(float) @ embed("a").astype(float)
    assert view.score.store_mean == pytest.approx(scores.mean(), abs=1e-6)
    assert view.score.store_spread == pytest.approx(scores.std(), abs=1e-6)
    assert view.score.z == pytest.approx((scores[3] - scores.mean()) / scores.std(), abs=1e-3)


def test_the_reconstructions_score_is_torchs(store: LatentStore) -> None:
    embed, sae = embedder(store), store.sae()
    import torch

    rebuilt = sae(torch.from_numpy(store.embedding(3))[None])[0].numpy()
    view = build_scores(store, store_source(store, 3), ("a",), 0, embed)
    assert view.norm == pytest.approx(np.linalg.norm(rebuilt), abs=1e-5)
    assert view.score.rebuilt == pytest.approx(rebuilt @ embed("a") / np.linalg.norm(rebuilt), abs=1e-5)


def test_many_latents_share_a_bar_and_negative_ones_are_told_apart(
    store: LatentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code of 20, one of which is kept although its activation is below 0, and one an empty place."""
    kept = KeptCode(np.arange(20), np.linspace(1.8, -0.1, 20).astype(np.float32))
    assert kept.activations[-2:] == pytest.approx([0.0, -0.1], abs=1e-6)
    kept.activations[-2] = 0.0
    monkeypatch.setattr("explorer.views.scores.kept_code", lambda store, source: kept)
    view = build_scores(store, store_source(store, 3), ("a",), 0, embedder(store))
    kinds = [step.kind for step in view.steps]
    assert kinds == ["bias", *["latent"] * N_STEPS, "others", "inactive", "residual"]
    sizes = [abs(step.value) for step in view.steps if step.kind == "latent"]
    assert sizes == sorted(sizes, reverse=True)
    others, inactive = view.steps[-3], view.steps[-2]
    assert (others.n, inactive.n) == (18 - N_STEPS, 1)
    parts = kept.activations.astype(float) * (
        store.decoder_rows[:20].astype(float) @ embedder(store)("a").astype(float)
    )
    assert inactive.value == pytest.approx(parts[-2:].sum(), abs=1e-6)
    assert sum(step.value for step in view.steps) == pytest.approx(view.score.picture, abs=1e-6)
    table = waterfall_csv(view).splitlines()
    assert table[0] == "latent,name,activation,part_of_score"
    assert len(table) == 1 + 20 + 4
    assert sum(float(line.rsplit(",", 1)[1]) for line in table[1:-2]) == pytest.approx(view.score.picture, abs=1e-6)


@pytest.mark.parametrize(("residual", "warned"), [(-0.3, True), (0.3, True), (0.1, False), (-0.2, False)])
def test_a_residual_larger_than_every_latents_part_is_said(store: LatentStore, residual: float, warned: bool) -> None:
    view = build_scores(store, store_source(store, 3), ("a",), 0, embedder(store))
    ref = view.refs[0]
    steps = (Step("bias", 0.9), Step("latent", 0.05, ref), Step("latent", -0.2, ref), Step("residual", residual))
    said = in_words(replace(view, steps=steps))
    assert (
        ("not to be read as this score’s explanation" in said) == ('class="sp-caution" role="note"' in said) == warned
    )
    assert "sp-refused" not in said


def test_a_name_by_clip_keeps_its_sign(store: LatentStore) -> None:
    view = build_scores(store, store_source(store, 3), ("a",), 0, embedder(store))
    ref = replace(view.refs[0], name="fog", by_clip=True)
    view = replace(view, steps=(Step("latent", 0.1, ref), *view.steps), refs=(ref, *view.refs[1:]))
    figure = waterfall(view)
    assert figure.layout.yaxis.ticktext[0] == f"#{ref.latent} ~fog"
    assert f"#{ref.latent} · ~fog · " in figure.data[0].customdata[0]
    assert waterfall_csv(view).splitlines()[1].startswith(f"{ref.latent},~fog,")


def test_a_foreign_name_stays_a_text_in_the_figure(store: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    view = build_scores(store, store_source(store, 3), ("a",), 0, embedder(store))
    ref = replace(view.refs[0], name='<a href="javascript:x">y</a>')
    figure = waterfall(replace(view, steps=(Step("latent", 0.1, ref),)))
    assert "<a" not in figure.layout.yaxis.ticktext[0]
    assert "<a" not in figure.data[0].customdata[0]


def test_default_and_suggested_texts(store: LatentStore) -> None:
    source = store_source(store, 7)
    assert default_prompts(store, source) == (store.image(7).title,)
    assert default_prompts(store, replace(source, kind="upload", image_id=None)) == ()
    centroids = np.stack([store.embeddings(store.images_of_label(code)).mean(0) for code in range(3)])
    cosines = centroids @ source.embedding / np.linalg.norm(centroids, axis=1)
    assert suggested_labels(store, source) == tuple(store.labels.titles[code] for code in np.argsort(-cosines))


def test_an_upload_that_is_in_the_store_is_no_other_picture(
    store: LatentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every edit of it would lead away from all other pictures, the copy being at cosine 1."""
    ours = store_source(store, 7)
    code = kept_code(store, ours)
    monkeypatch.setattr("explorer.views.edits.kept_code", lambda store, source: code)
    changes = {int(code.latents[0]): 0.0}
    copied = build_edit(store, replace(ours, image_id=None), changes)
    assert copied.before[0].figure == pytest.approx(1, abs=1e-5)
    assert copied.closest == pytest.approx(build_edit(store, ours, changes).closest, abs=1e-6)


def test_an_edit_finds_the_neighbours_of_the_edited_embedding(store: LatentStore) -> None:
    source = store_source(store, 7)
    code = kept_code(store, source)
    strongest, other = int(code.latents[0]), dead(store)
    changes = {strongest: 0.0, other: 1.5}
    view = build_edit(store, source, changes)
    rows = store.decoder_rows.astype(float)
    moved = source.embedding - code.activations[0] * rows[strongest] + 1.5 * rows[other]
    assert view.norm == pytest.approx(np.linalg.norm(moved), abs=1e-5)
    unit = moved / np.linalg.norm(moved)
    assert view.embedding == pytest.approx(unit, abs=1e-6)
    assert view.cosine == pytest.approx(unit @ source.embedding, abs=1e-5)
    cosines = store.embeddings(range(store.n_images)) @ unit
    cosines[7] = -2  # the picture itself is left out
    assert {tile.image_id for tile in view.after} == set(np.argsort(-cosines)[:12].tolist())
    assert view.closest[1] == pytest.approx(cosines.max(), abs=1e-5)
    before, after = ({tile.image_id for tile in tiles} for tiles in (view.before, view.after))
    assert (view.came, view.left) == (after - before, before - after)
    assert view.came and len(view.came) == len(view.left)
    assert [(change.ref.latent, change.after) for change in view.changes] == list(changes.items())
    assert view.changes[1].before == 0
    after_score = build_scores(store, source, ("a",), 0, embedder(store), view.embedding).score.edited
    assert after_score == pytest.approx(float(unit @ embedder(store)("a")), abs=1e-5)


def test_rows_of_an_edited_code(store: LatentStore) -> None:
    source = store_source(store, 7)
    code = kept_code(store, source)
    first = int(code.latents[0])
    query = read_inspect(store, {"image": "7", "edit": f"{first}:0,{dead(store)}:2"})
    rows = build_rows(store, build_inspection(store, source), query)
    assert [row.card.ref.latent for row in rows] == [*store.code(7).latents.tolist(), dead(store)]
    assert (rows[0].before, rows[0].after, rows[0].edited, rows[0].added) == (
        float(code.activations[0]),
        0.0,
        True,
        False,
    )
    strongest = store.latents["max_activation"].iloc[first]
    assert rows[0].strongest == pytest.approx(strongest)
    assert rows[0].most == pytest.approx(max(2 * code.activations[0], strongest))
    assert (rows[1].edited, rows[1].before == rows[1].after) == (False, True)
    assert (rows[-1].before, rows[-1].after, rows[-1].added) == (0.0, 2.0, True)
    assert rows[-1].most >= 2
    drawn = code_rows.code(build_inspection(store, source), rows)
    assert f"here {activation(rows[0].before)} · strongest {activation(strongest)}" in drawn
    assert f'class="sp-strongest" style="left:{100 * strongest / rows[0].most:.1f}%"' in drawn
    assert "not active here · active in no picture" in drawn
    assert rows[0].reset_url == f"inspect?image=7&edit={dead(store)}:2"
    assert rows[-1].reset_url == f"inspect?image=7&edit={first}:0"
    assert rows[1].remove_url.endswith(f",{rows[1].card.ref.latent}:0")
    assert rows[1].where_url.endswith(f"where={rows[1].card.ref.latent}")


def test_a_text_that_is_too_long_is_cut_and_said_to_be(store: LatentStore) -> None:
    query = read_inspect(store, {"prompts": "a cat\n" + "b" * MAX_PROMPT})
    assert query.text_problems == () and query.prompts == ("a cat", "b" * MAX_PROMPT)
    query = read_inspect(store, {"prompts": "a cat\n" + "b" * (MAX_PROMPT + 1)})
    assert query.prompts == ("a cat", "b" * MAX_PROMPT) and f"first {MAX_PROMPT} characters" in query.text_problems[0]


@pytest.mark.parametrize(
    ("said", "edit", "n_problems"),
    [
        ("", {}, 0),
        ("3:0.5,#4:0", {3: 0.5, 4: 0.0}, 0),
        ("3:0.5,3:0.25", {3: 0.25}, 0),
        ("3:1e-3", {3: 0.001}, 0),
        ("3:-0", {3: 0.0}, 0),
        ("x:1,3:0.5", {3: 0.5}, 1),
        ("96:1", {}, 1),  # there are 96 latents
        ("3", {}, 1),
        ("3:", {}, 1),
        ("3:-1", {}, 1),
        ("3:nan,4:inf,5:1e9,6:0x1", {}, 4),
        ("-3:1", {}, 1),
        ("99999999999999999999:1", {}, 1),
        (",,3:1,", {3: 1.0}, 0),
        ("<script>:1", {}, 1),
    ],
)
def test_reading_edits(store: LatentStore, said: str, edit: dict[int, float], n_problems: int) -> None:
    query = read_inspect(store, {"edit": said})
    assert dict(query.edit) == edit
    assert len(query.problems) == n_problems
    assert read_inspect(store, {"edit": edit_text(query.edit)}).edit == query.edit


def test_no_more_edits_than_are_read(store: LatentStore) -> None:
    query = read_inspect(store, {"edit": ",".join(f"{latent}:1" for latent in range(80))})
    assert len(query.edit) == 64
    assert len(query.problems) == 1


def test_adding_a_latent(store: LatentStore) -> None:
    alive = int(np.argmax(store.latents["density"].to_numpy()))
    mean = float(store.latents.at[alive, "mean_activation"])
    query = read_inspect(store, {"image": "7", "edit": "3:0", "add": f"#{alive}"})
    assert query.edit == pytest.approx({3: 0.0, alive: mean}, rel=1e-3)
    assert "add" not in query.url() and f"{alive}:" in query.url(), "the address of every link is the canonical one"
    assert read_inspect(store, {"add": "5", "to": "0.7"}).edit == {5: 0.7}
    assert read_inspect(store, {"add": "5", "to": "x"}).add.problem.startswith("“x” is no activation")
    assert read_inspect(store, {"add": "96"}).add.problem == "There is no latent #96; this store has 0 … 95."


@pytest.mark.parametrize("to", ["", "0.7"])
def test_a_latent_is_added_by_words(store: LatentStore, to: str) -> None:
    query = read_inspect(store, {"image": "7", "edit": "3:0", "add": " red  car ", "to": to})
    assert query.edit == {3: 0.0}, "words may mean several latents: nothing is added yet"
    assert query.add.words == "red  car"
    there = read_inspect(store, dict(parse_qsl(urlsplit(query.added(store, 5)).query)))
    assert there.edit == pytest.approx({3: 0.0, 5: float(to or store.latents.at[5, "mean_activation"])}, rel=1e-3)
    assert there.add == Addition()


def test_a_dead_latent_begins_with_what_is_usual_elsewhere(store: LatentStore) -> None:
    means = store.latents["mean_activation"].to_numpy()
    assert usual_activation(store, dead(store)) == pytest.approx(means[means > 0].mean())


def test_reading_prompts(store: LatentStore) -> None:
    assert read_inspect(store, {}).prompts is None
    assert read_inspect(store, {"prompts": " \n\r\n"}).prompts is None
    assert read_inspect(store, {"prompts": " a  red car \r\nb\nb\n"}).prompts == ("a red car", "b")
    many = read_inspect(store, {"prompts": "\n".join(str(n) for n in range(20))})
    assert len(many.prompts or ()) == MAX_PROMPTS and len(many.text_problems) == 1
    assert len((read_inspect(store, {"prompts": "x" * 10_000}).prompts or ("",))[0]) == 200
    assert build_scores(store, store_source(store, 3), ("a", "b"), 99, embedder(store)).chosen == 0


def test_every_change_keeps_the_rest_of_the_address(store: LatentStore) -> None:
    query = read_inspect(store, {"image": "7", "prompts": "a\nb", "prompt": "1", "edit": "3:0", "where": "5"})
    assert query.url(edit=None) == "inspect?image=7&where=5&prompts=a%0Ab&prompt=1"
    assert query.edited(3, None) == query.url(edit=None)
    assert query.edited(4, 0.25) == "inspect?image=7&where=5&prompts=a%0Ab&prompt=1&edit=3:0,4:0.25"


def test_an_edit_that_leaves_nothing(store: LatentStore) -> None:
    """The picture is one latent's direction and nothing else; without it there is no embedding."""
    row = store.decoder_rows[3]
    kept = KeptCode(np.array([3]), np.array([np.linalg.norm(row)], dtype=np.float32))
    source = replace(store_source(store, 7), embedding=row)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SparsightError, match="leaves nothing"):
        patch.setattr("explorer.views.edits.kept_code", lambda store, source: kept)
        build_edit(store, source, {3: 0.0})


@pytest.mark.parametrize("spread", [0.0, 1e-8])
def test_where_all_pictures_score_alike_none_is_far_above_them(spread: float) -> None:
    """As in a store of one picture, whose spread is rounding: its own score would be `far above` itself."""
    one = Score("a", 0.25, 0.25, spread, 0.2, None)
    assert np.isnan(one.z) and one.level == "beside" and _nothing(one) == ""
    levels = [Score("a", score, 0.25, 0.01, 0.2, None).level for score in (0.29, 0.27, 0.25, 0.23)]
    assert levels == ["far above", "above", "about as high as", "below"]
