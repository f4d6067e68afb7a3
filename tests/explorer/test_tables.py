"""Tables that leave the app."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from explorer.plots import save_links
from explorer.tables import csv_text


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")), st.integers())))
def test_a_table_is_read_as_it_was_written(rows: list[tuple[str, int]]) -> None:
    read = list(csv.reader(io.StringIO(csv_text(("text", "number"), rows), newline="")))
    assert read[0] == ["text", "number"]
    assert [int(number) for _, number in read[1:]] == [number for _, number in rows]
    for (text, _), (found, _) in zip(rows, read[1:], strict=True):
        assert found == (f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") and text else text)


def test_the_links_carry_hostile_text_as_text() -> None:
    links = save_links('"><script>', "a,b\n</pre><img src=x onerror=alert(1)>\n")
    assert "<script>" not in links
    assert "<img" not in links
    assert links.count("data-save=") == 3
