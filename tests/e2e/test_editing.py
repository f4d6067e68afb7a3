"""From an upload to its code, to an edit and its neighbours, and back; nothing of it on the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import CHROMIUM, FLAGS, served, settled
from tests.e2e.test_inspecting import photograph, upload
from tests.support.pictures import encoded

__all__ = ["photograph"]

# Notes every file that the app opens to write, by Python's own audit events; temporary files are among them.
WATCH = """
import os, sys
_out = os.open(os.environ["WRITES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def _heard(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR):
        os.write(_out, f"{args[0]}\\n".encode())
sys.addaudithook(_heard)
"""


def neighbours(page: Page, which: str = "") -> list[str]:
    """Addresses of the nearest pictures; `which` is "before" or "after" of an edit."""
    settled(page)
    at = {"": "#nearest .sp-tile", "before": ".sp-beforeafter > div:first-child .sp-tile"}
    tiles = page.locator(at.get(which, ".sp-beforeafter > div:last-child .sp-tile"))
    addresses: list[str] = tiles.evaluate_all("tiles => tiles.map(tile => tile.getAttribute('href'))")
    return addresses


def drag(page: Page, latent: str, to: float) -> None:
    """The slider of a latent, by mouse, to a share of its width."""
    slider = page.locator(f"input[data-edit='{latent}']")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * to, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()


def test_upload_edit_and_back(app: str, page: Page, photograph: Path) -> None:
    page.goto(f"{app}/inspect")
    upload(page, photograph)
    expect(page.locator(".sp-row").first).to_be_visible(timeout=120_000)
    expect(page.locator("#nearest .sp-tile")).to_have_count(12)
    original = neighbours(page)
    latent = str(page.locator("input[data-edit]").first.get_attribute("data-edit"))
    before = page.locator("[data-testid=stMain]").evaluate("main => main.scrollTop")

    drag(page, latent, 0.001)
    expect(page).to_have_url(re.compile(rf"/inspect\?edit={latent}:0(\.\d+)?$"))
    settled(page)
    expect(page.locator(".sp-edited")).to_contain_text("cosine with the original")
    assert neighbours(page, "before") == original
    after = neighbours(page, "after")
    assert set(after) != set(original)
    assert page.locator(".sp-came").count() == page.locator(".sp-left").count() == len(set(after) - set(original))
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollTop") >= before, "no jump to the top"

    page.go_back()
    expect(page.locator(".sp-edited")).to_have_count(0)
    assert "edit" not in page.url
    assert neighbours(page) == original

    page.go_forward()
    expect(page.locator(".sp-edited")).to_be_visible()
    page.reload()
    expect(page.locator(".sp-note")).to_contain_text("until it is reloaded")
    upload(page, photograph)
    expect(page.locator(".sp-edited")).to_contain_text("cosine with the original", timeout=120_000)
    settled(page)
    assert neighbours(page, "after") == after
    page.go_forward()
    expect(page.locator(".sp-edited")).to_be_visible()
    page.get_by_role("link", name="reset all").click()
    expect(page.locator(".sp-edited")).to_have_count(0)
    expect(page.locator(".sp-picture figcaption")).to_have_text(photograph.name)


def test_a_first_edit_moves_no_row_and_says_what_it_did(app: str, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{app}/inspect?image=3")
    expect(page.locator(".st-key-plot-waterfall .js-plotly-plot").first).to_be_visible(timeout=120_000)
    settled(page)
    score = page.locator(".sp-scorerow .sp-num").first.inner_text()
    latent = str(page.locator("input[data-edit]").nth(2).get_attribute("data-edit"))
    slider = page.locator(f"input[data-edit='{latent}']")
    slider.scroll_into_view_if_needed()
    before = slider.bounding_box()
    drag(page, latent, 0.001)
    expect(page.locator(".sp-editscores")).to_contain_text(f"{score} → ")
    expect(page.locator(".sp-edited")).to_be_in_viewport(ratio=1)
    settled(page)
    after = slider.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) <= 1


@pytest.mark.parametrize("width", [820, 1280, 1400])
def test_the_nearest_pictures_fill_their_rows(app: str, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for address, galleries in (("inspect?image=3", 1), ("inspect?image=3&edit=5:0.2", 2)):
        page.goto(f"{app}/{address}")
        expect(page.locator("#nearest .sp-tile")).to_have_count(12 * galleries)
        for gallery in page.locator("#nearest .sp-gallery").all():
            tops = gallery.locator(".sp-tile").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
            assert len({tops.count(top) for top in tops}) == 1, (width, address)


def test_a_slider_shows_where_the_latent_is_and_how_strong_it_gets(app: str, page: Page) -> None:
    """Moved to its long mark by the mouse, it says the strongest activation."""
    page.goto(f"{app}/inspect?image=3")
    row = page.locator(".sp-row").nth(1)
    row.scroll_into_view_if_needed()
    knob, mark = row.locator("input").bounding_box(), row.locator(".sp-strongest").bounding_box()
    assert knob is not None
    assert mark is not None
    settled(page)
    page.mouse.move(mark["x"] + mark["width"] / 2, knob["y"] + knob["height"] / 2)
    page.mouse.down()
    strongest = re.search(r"strongest ([\d.]+)", row.inner_text())
    assert strongest is not None
    most = float(str(row.locator("input").get_attribute("max")))
    assert float(row.locator("output").inner_text()) == pytest.approx(float(strongest[1]), abs=most / 100)
    page.mouse.up()


def test_the_keyboard_edits_too(app: str, page: Page) -> None:
    """Several keys are one edit, and the slider is in hand again when the rows were drawn anew."""
    page.goto(f"{app}/inspect?image=3&edit=5:0.2")
    expect(page.locator(".st-key-plot-waterfall .js-plotly-plot").first).to_be_visible(timeout=120_000)
    settled(page)
    slider = page.locator("input[data-edit]").nth(1)
    latent = slider.get_attribute("data-edit")
    old = slider.element_handle()
    assert old is not None
    depth = page.evaluate("history.length")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(rf"edit={latent}:0\.\d+,5:0\.2$"))
    assert page.evaluate("history.length") == depth + 1
    page.wait_for_function("old => !old.isConnected", arg=old)
    expect(page.locator(f"input[data-edit='{latent}']")).to_be_focused()
    assert "image=3" in page.url


def test_a_latent_is_added_and_texts_are_scored(app: str, page: Page) -> None:
    page.goto(f"{app}/inspect?image=3&where=99999&method=gradients")
    expect(page.locator(".sp-row").first).to_be_visible()
    rows = page.locator(".sp-row").count()
    page.get_by_label("add latent").fill("5")
    page.get_by_label("with activation").fill("0.25")
    page.get_by_label("with activation").press("Enter")
    expect(page.locator(".sp-row")).to_have_count(rows + 1)
    page.get_by_role("link", name="drop #5").click()
    expect(page.locator(".sp-row")).to_have_count(rows)
    page.get_by_label("add latent").fill("flags")
    page.get_by_role("button", name="add", exact=True).click()
    page.get_by_role("status").filter(has_text="Which is meant?").wait_for()
    page.locator(".sp-relative a.sp-under").first.click()
    expect(page.locator(".sp-row")).to_have_count(rows + 1)
    page.get_by_role("link", name="reset all").click()
    expect(page.locator(".sp-row")).to_have_count(rows)

    page.locator(".sp-prompts textarea").fill("a red car\na green lizard")
    page.get_by_role("button", name="score", exact=True).click()
    expect(page.locator(".sp-scorerow")).to_have_count(2)
    page.get_by_role("link", name="a green lizard").click()
    expect(page.locator(".sp-scorewords")).to_contain_text("“a green lizard” scores")
    assert "where=99999" in page.url
    assert "method=gradients" in page.url, "what a form may not name is kept all the same"
    settled(page)
    expect(page.locator(".st-key-plot-waterfall .js-plotly-plot")).to_be_visible()
    with page.expect_download() as saved:
        page.locator(".st-key-plot-waterfall [data-save=csv]").click()
    lines = saved.value.path().read_text().splitlines()
    assert lines[0] == "latent,name,activation,part_of_score"
    parts = {line.split(",")[0]: float(line.rsplit(",", 1)[1]) for line in lines[1:]}
    score = parts.pop("score")
    parts.pop("store mean")
    assert sum(parts.values()) == pytest.approx(score, abs=1e-5)


def test_what_is_typed_outlives_a_page_that_is_drawn_anew(app: str, page: Page) -> None:
    """Texts not yet sent, while a link changes the code; Back shows what the address says."""
    page.goto(f"{app}/inspect?image=3&edit=5:0.2")
    settled(page)
    box = page.locator(".sp-prompts textarea")
    shown = box.input_value()
    box.fill("a red car\na green lizard")
    box.press("Home")
    old = box.element_handle()
    assert old is not None
    page.get_by_role("link", name="drop #5").evaluate(
        "link => link.click()"
    )  # as if it came from a slow page: no focus
    page.wait_for_function("old => !old.isConnected", arg=old)
    settled(page)
    expect(box).to_have_value("a red car\na green lizard")
    expect(box).to_be_focused()
    page.keyboard.type("not ")
    expect(box).to_have_value("a red car\nnot a green lizard")
    page.go_back()
    expect(page.get_by_role("link", name="drop #5")).to_be_visible()
    expect(box).to_have_value(shown)


def take_photograph(page: Page) -> None:
    """Presses the button until there is a photograph: the camera takes none before its first frame has come."""
    button = page.get_by_role("button", name="Take Photo")
    for _ in range(30):
        button.click()
        try:
            return expect(button).to_have_count(0, timeout=3000)
        except AssertionError:
            continue
    raise AssertionError("the camera took no photograph")


def test_the_camera_is_asked_for_and_its_photograph_has_a_code(app: str, browser: Browser) -> None:
    """With Chromium's made-up camera; a page whose policy forbids it, or its own photograph, gets no further."""
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    filming = browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, *fake])
    page = filming.new_page()
    page.goto(f"{app}/inspect?image=3")
    expect(page.locator("[data-testid=stCameraInput]")).to_have_count(0)
    page.get_by_role("link", name="use the camera").click()
    settled(page)
    take_photograph(page)
    expect(page.locator(".sp-picture img").first).to_have_attribute(
        "src", re.compile("^data:image/jpeg"), timeout=120_000
    )
    settled(page)
    expect(page.locator(".sp-row").first).to_be_visible()
    assert "image=" not in page.url
    page.get_by_role("link", name="close the camera").click()
    expect(page.locator("[data-testid=stCameraInput]")).to_have_count(0)
    settled(page)
    expect(page.locator(".sp-picture img")).to_have_attribute("src", re.compile("^data:image/jpeg"))
    filming.close()


@pytest.fixture
def watched(demo_store: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The app, and the list of files that it opens to write."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    writes = tmp_path / "writes.txt"
    environment = {
        "SPARSIGHT_STORE": str(demo_store),
        "SPARSIGHT_NOTES": str(tmp_path / "notes.sqlite"),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "WRITES": str(writes),
    }
    with served(tmp_path, **environment) as address:
        yield address, writes


def test_nothing_uploaded_is_written(watched: tuple[str, Path], page: Page, tmp_path: Path) -> None:
    """Three megabytes of noise: more than Starlette keeps in memory by itself."""
    address, writes = watched
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    path = tmp_path / "noise.png"
    path.write_bytes(encoded(Image.fromarray(noise)))
    assert path.stat().st_size > 2_500_000
    page.goto(f"{address}/inspect?image=3")
    expect(page.locator(".sp-scorerow")).to_have_count(1, timeout=120_000)  # the encoder is loaded
    before = len(writes.read_text().splitlines())
    upload(page, path)
    expect(page.locator(".sp-picture figcaption")).to_have_text("noise.png", timeout=120_000)
    expect(page.locator(".sp-row").first).to_be_visible()
    written = [name for name in writes.read_text().splitlines()[before:] if not name.startswith(("/dev/", "/proc/"))]
    assert written == []
