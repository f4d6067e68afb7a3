"""Several visitors at once: what benchmarks.load does for ten minutes with thirty, shortly and with a few."""

from __future__ import annotations

from pathlib import Path

from benchmarks.load import Settings, crowd, report
from benchmarks.served import served


def test_nothing_fails_while_several_browse_and_upload(demo_store: Path) -> None:
    with served(demo_store) as app:
        record = crowd(app, Settings(demo_store, sessions=8, minutes=0.2, pause=0.3))
    assert record.failures == [], report(record)
    assert sum(len(views) for views in record.views.values()) >= 16
    assert record.uploads
