"""An app that is killed while a picture comes in: the next one starts as if nothing had been."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from benchmarks.visitor import Visitor
from explorer.notes.book import NoteBook
from index_builder.verify import defects_of
from sae_core import LatentStore
from tests.e2e.conftest import ROOT, served
from tests.support.pictures import encoded, picture
from tests.support.stores import make_store


def test_killed_while_a_picture_comes_in(tmp_path: Path) -> None:
    path = make_store(tmp_path / "store", n_images=60, n_latents=48, k=4)
    store = LatentStore.open(path)
    book = NoteBook(tmp_path / "notes.sqlite", store.manifest.sae.fingerprint, store.n_latents)
    book.save(3, "mine", "kept", based_on=0)
    (tmp_path / "scratch").mkdir()
    environment = {
        "SPARSIGHT_STORE": str(path),
        "SPARSIGHT_NOTES": str(tmp_path / "notes.sqlite"),
        "TMPDIR": str(tmp_path / "scratch"),
    }
    _kill_during_an_upload(environment)
    assert defects_of(path) == []
    assert list((tmp_path / "scratch").iterdir()) == [], "nothing of a picture is on the disk"
    assert sqlite3.connect(tmp_path / "notes.sqlite").execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert (book.get(3).name, book.get(3).text) == ("mine", "kept")
    with served(tmp_path, **environment) as address:
        visitor = Visitor(address)
        visitor.upload("again.png", encoded(picture(5, (64, 64))[1]))
        visitor.close()


def _kill_during_an_upload(environment: dict[str, str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.address", "127.0.0.1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, **quiet)  # type: ignore[call-overload]
    try:
        _wait(address)
        connection = Visitor(address).begin_upload("half.png", n_bytes=8_000_000, n_sent=4_000_000)
        time.sleep(0.5)  # for the server to have taken it in
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    assert process.returncode == -signal.SIGKILL
    connection.close()


def _wait(address: str) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError("the app did not answer")
