"""Test-time training as it is shown."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.head_charts import heads_chart, heads_csv
from explorer.sections import heads as sections
from explorer.views.heads import build_heads, in_words
from sae_core import LatentStore
from sae_core.errors import SparsightError
from sae_core.specialisation import Specialisation, Verdict
from tests.support.stores import make_store


def verdict(name: str, gain: float, low: float, high: float) -> Verdict:
    return Verdict(name, 0.5 + gain, (0.4, 0.7), 1.25, gain, (low, high))


def found(low: float, high: float) -> Specialisation:
    heads = (verdict("global head", 0, 0, 0), verdict("local, embeddings", (low + high) / 2, low, high))
    return Specialisation(heads, 60, 60, 7)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.2, "better than the global one"), (-0.2, -0.01, "judges worse"), (-0.1, 0.1, "cannot be told from")],
)
def test_nothing_is_claimed_beyond_the_interval(low: float, high: float, said: str) -> None:
    assert said in in_words(found(low, high))


def test_where_all_judged_pictures_carry_one_label_no_head_is_judged() -> None:
    some = found(-0.1, 0.1)
    only = Verdict("commonest label", 1.0, (1.0, 1.0), float("nan"), 0.0, (0.0, 0.0))
    assert "nothing to tell heads apart by" in in_words(replace(some, verdicts=(*some.verdicts, only)))
    most = replace(only, accuracy=0.9)
    assert "cannot be told from" in in_words(replace(some, verdicts=(*some.verdicts, most)))


def test_all_heads_stand_in_table_chart_and_file(store: LatentStore) -> None:
    view = build_heads(store, store.embedding(4), 20)
    assert len(view.rows) == 6
    table, csv = sections.table(view), heads_csv(view)
    for row in view.rows:
        assert row.name in table
        assert row.accuracy in table.replace("&nbsp;", "\u00a0")
        assert row.name in csv
    assert view.rows[0].gain == ""
    assert list(heads_chart(view).data[0].y)[::-1] == [row.name for row in view.rows]
    assert math.isnan(view.rows[-1].verdict.loss)
    assert view.rows[-1].loss == "–"
    assert "60 pictures" not in view.setting
    assert "An illustration" not in sections.answer(view)


def test_a_store_without_labels_has_no_heads(tmp_path: Path) -> None:
    from tests.support.pictures import encoded, picture

    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.png").write_bytes(encoded(picture(number)[1]))
    store = LatentStore.open(make_store(tmp_path / "store", images=folder))
    assert not store.labels.names
    with pytest.raises(SparsightError, match="two labels"):
        build_heads(store, store.embedding(0))
