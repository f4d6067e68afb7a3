"""The app as a person starts it, and Debian's Chromium looking at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from sae_core import LatentStore

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Streamlit says that a run has ended before the browser shows all of it: nothing new for a while, and time to spare.
QUIET = """() => new Promise((done) => {
  const ended = () => { watcher.disconnect(); requestIdleCallback(done, { timeout: 1000 }); };
  let timer = setTimeout(ended, 100);
  const watcher = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(ended, 100); });
  watcher.observe(document, { childList: true, subtree: true });
  setTimeout(ended, 5000);  // a page may never rest
})"""
# A busy machine is slow, not wrong.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser and a server on a busy machine: a test that fails is tried once more, and the summary names it."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))
            item.add_marker(
                pytest.mark.timeout(300)
            )  # seconds: some of the browser's answers are waited for without end


@pytest.fixture(scope="session")
def store(demo_store: Path) -> LatentStore:
    return LatentStore.open(demo_store)


@pytest.fixture(scope="session")
def app(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app as a person starts it, with notes of its own."""
    folder = tmp_path_factory.mktemp("app")
    with served(folder, SPARSIGHT_STORE=str(demo_store), SPARSIGHT_NOTES=str(folder / "notes.sqlite")) as address:
        yield address


@contextmanager
def served(folder: Path, port: int | None = None, **environment: str) -> Iterator[str]:
    """`streamlit run app.py` on a free port; ended by its own process id."""
    port = port or free_port()
    log = (folder / "log.txt").open("w+")
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, Path(log.name))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        log.close()


def settled(page: Page) -> None:
    """Waits until the page is drawn to its end: until then Streamlit may show a part twice, as it was and as it is.

    Before its first run a page says `notRunning`, too: something has to be there first.
    """
    expect(page.locator("[data-testid=stMain] [data-testid=stElementContainer]")).not_to_have_count(0, timeout=120_000)
    expect(page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=120_000
    )
    expect(page.locator("[data-stale=true]")).to_have_count(0)
    page.evaluate(QUIET)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A page that must not complain on its console.

    On a cold deep link Streamlit's front end looks for its server below the page first (`/latents/_stcore/…`): two
    404s that are its own.
    """
    page = context.new_page()

    def heard(kind: str, text: str, url: str) -> None:
        if kind == "error" and "/_stcore/" not in url:
            complaints.append(f"{text} {url}")

    page.on("console", lambda message: heard(message.type, message.text, message.location.get("url", "")))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the app ended with {process.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"the app did not answer:\n{log.read_text()}")
