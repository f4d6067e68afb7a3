"""The app on a store, as a person starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sae_core.references import REPOSITORY_ROOT


@dataclass(frozen=True)
class App:
    """A running app."""

    address: str
    pid: int

    @property
    def memory_mb(self) -> float:
        """Memory of its own in MB: pages of the store's files, which the system may drop at any time, left out."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1e3


@contextmanager
def served(store: Path, port: int | None = None, *, read_only: bool = True) -> Iterator[App]:
    """Starts the app on a free port, waits until it is healthy, and ends it by its own process id."""
    port = port or _free_port()
    environment = os.environ | {"SPARSIGHT_STORE": str(store)} | ({"SPARSIGHT_READ_ONLY": "1"} if read_only else {})
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless=true"]
    process = subprocess.Popen(
        command, cwd=REPOSITORY_ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.5)
        else:
            raise RuntimeError("the app did not answer")
        yield App(address, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
