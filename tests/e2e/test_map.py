"""The map, as a person uses it: points are where the store has them, and what is drawn around is what is listed."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, TimeoutError, expect

from explorer.views.names import display_name
from sae_core import LatentStore
from tests.e2e.test_browsing import mark_document, parameter, same_document, visit

DRAWN = ".sp-mapcanvas[data-drawn]"


@pytest.fixture
def plane(store: LatentStore) -> np.ndarray:
    return store.latents[["x", "y"]].to_numpy(dtype=float)


def visit_map(page: Page, address: str) -> None:
    visit(page, address, DRAWN)


def view_of(page: Page) -> list[float]:
    said = page.locator(DRAWN).get_attribute("data-view") or ""
    return [float(part) for part in said.split(",")]


def spot(page: Page, place: np.ndarray) -> tuple[float, float]:
    """Where on the screen a place of the plane is."""
    x0, x1, y0, y1 = view_of(page)
    box = page.locator(DRAWN).bounding_box()
    assert box is not None
    x, y = place.tolist()
    return box["x"] + (x - x0) / (x1 - x0) * box["width"], box["y"] + (y1 - y) / (y1 - y0) * box["height"]


def drag(page: Page, corners: list[tuple[float, float]]) -> None:
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=6)
    page.mouse.up()


def lonely(plane: np.ndarray) -> int:
    """The latent whose nearest neighbour is farthest: nobody else is under the pointer."""
    apart = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return int(apart.min(1).argmax())


def listed(page: Page) -> list[int]:
    texts = page.locator("[data-map-selection] .sp-maplist a.sp-ref").all_text_contents()
    return [int(text.split(" ")[0][1:]) for text in texts]


def test_points_are_drawn_where_they_are(app: str, store: LatentStore, plane: np.ndarray, page: Page) -> None:
    visit_map(page, f"{app}/map")
    expect(page.locator(DRAWN)).to_have_attribute("data-drawn", str(store.n_latents))
    where = [spot(page, plane[latent]) for latent in (lonely(plane), int(plane[:, 0].argmax()))]
    box = page.locator(DRAWN).bounding_box()
    assert box is not None
    inked = page.evaluate(
        """([places, left, top]) => {
            const canvas = document.querySelector(".sp-mapcanvas");
            const gl = canvas.getContext("webgl");
            const ratio = canvas.width / canvas.clientWidth;
            const alpha = ([x, y]) => {
                const pixel = new Uint8Array(4);
                const at = [(x - left) * ratio, canvas.height - (y - top) * ratio];
                gl.readPixels(...at, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
                return pixel[3];
            };
            return [...places.map(alpha), alpha([left + 3, top + 3])];
        }""",
        [where, box["x"], box["y"]],
    )
    assert min(inked[:-1]) > 150, "a point"
    assert inked[-1] == 0, "the page"


def test_pointing_shows_pictures_and_a_click_opens(app: str, store: LatentStore, plane: np.ndarray, page: Page) -> None:
    visit_map(page, f"{app}/map")
    mark_document(page)
    latent = lonely(plane[store.latents["n_active"] >= 9])
    latent = int(np.flatnonzero(store.latents["n_active"] >= 9)[latent])
    page.mouse.move(*spot(page, plane[latent]))
    card = page.locator(".sp-mapcard")
    expect(card).to_have_attribute("data-latent", str(latent))
    expect(card.locator("a")).to_contain_text(f"#{latent} · ")
    page.wait_for_function("() => [...document.querySelectorAll('.sp-mapcard img')].every(i => i.naturalWidth > 0)")
    shown = card.locator("img").evaluate_all("all => all.map(img => Number(img.src.split('/').pop()))")
    assert shown == store.gallery(latent, 0, 9).image_ids.tolist()
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()
    page.mouse.click(*spot(page, plane[latent]))
    expect(page.locator("h1 .sp-no")).to_have_text(f"#{latent}")
    assert same_document(page)
    expect(card).to_be_hidden()
    page.go_back()
    expect(page.locator(DRAWN)).to_be_visible()


def test_a_box_lists_what_is_in_it(app: str, store: LatentStore, plane: np.ndarray, page: Page) -> None:
    visit_map(page, f"{app}/map")
    page.locator("button[data-tool=box]").click()
    low, high = np.quantile(plane, 0.47, axis=0), np.quantile(plane, 0.56, axis=0)
    drag(page, [spot(page, low), spot(page, high)])
    panel = page.locator("[data-map-selection]")
    expect(panel).to_contain_text("selected")
    view = view_of(page)
    pixel = (view[1] - view[0]) / (page.locator(DRAWN).bounding_box() or {"width": 1.0})["width"]
    surely = set(np.flatnonzero(((plane > low + pixel) & (plane < high - pixel)).all(1)).tolist())
    perhaps = set(np.flatnonzero(((plane > low - pixel) & (plane < high + pixel)).all(1)).tolist())
    found = set(listed(page))
    assert surely <= found <= perhaps
    assert 3 < len(surely) < 60
    expect(panel.locator(".sp-maplist a.sp-ref").first).to_contain_text("·")  # names came

    panel.get_by_text("open as grid").click()
    expect(page.locator(".sp-card").first).to_be_visible()
    assert parameter(page, "region") is not None
    expect(page.locator(".sp-summary")).to_contain_text(f"{len(found)} of")
    page.go_back()
    expect(page.locator(DRAWN)).to_be_visible()
    page.keyboard.down("Shift")  # a box with any tool
    drag(page, [spot(page, low), spot(page, high)])
    page.keyboard.up("Shift")
    expect(panel).to_contain_text(f"{len(found)} latents selected")
    panel.get_by_text("open as list").click()
    expect(page.locator(".sp-listrow").first).to_be_visible()
    assert parameter(page, "latents") == ",".join(map(str, sorted(found)))


def test_a_lasso_lists_what_is_in_it_and_not_in_its_corner(app: str, plane: np.ndarray, page: Page) -> None:
    visit_map(page, f"{app}/map")
    page.locator("button[data-tool=lasso]").click()
    low, high = np.quantile(plane, 0.42, axis=0), np.quantile(plane, 0.58, axis=0)
    corners = [low, np.array([high[0], low[1]]), high]  # a triangle: half of the box
    drag(page, [spot(page, corner) for corner in corners])
    expect(page.locator("[data-map-selection]")).to_contain_text("selected")
    inside = (plane > low).all(1) & (plane < high).all(1)
    across = (plane[:, 0] - low[0]) / (high[0] - low[0]) - (plane[:, 1] - low[1]) / (high[1] - low[1])
    found = set(listed(page))
    assert not found & set(np.flatnonzero(inside & (across < -0.03)).tolist())
    total = int((page.locator("[data-map-selection] h2").text_content() or "0").split(" ")[0].split("\u00a0")[0])
    assert int((inside & (across > 0.03)).sum()) <= total <= int((inside & (across > -0.03)).sum()) + 3

    pictures = page.locator("[data-map-selection] li").first.locator("a.sp-thumbs img")
    expect(pictures).to_have_count(3)
    assert pictures.first.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0

    page.locator("[data-map-selection]").get_by_text("add to your list").click()
    expect(page.locator(".sp-tray")).to_contain_text(f"{total} latent")
    page.locator(".sp-mapbar select").select_option("mono")
    page.wait_for_url("**/map?color=mono*")
    expect(page.locator("[data-map-selection]")).to_contain_text(f"{total} latent")  # it outlasts another colour
    page.locator("[data-map-selection]").get_by_text("clear").click()
    expect(page.locator("[data-map-selection]")).to_be_hidden()


def test_a_selection_survives_reload_and_back_undoes_it(app: str, plane: np.ndarray, page: Page) -> None:
    visit_map(page, f"{app}/map")
    panel, title = page.locator("[data-map-selection]"), page.locator("[data-map-selection] h2")
    low, high = np.quantile(plane, 0.42, axis=0), np.quantile(plane, 0.58, axis=0)
    page.locator("button[data-tool=lasso]").click()
    middle, reach = (low + high) / 2, (high - low) / 2
    turns = np.linspace(0, 6.2, 90)
    drag(page, [spot(page, middle + reach * [np.cos(turn), np.sin(turn)]) for turn in turns])
    page.wait_for_url("**lasso=*")
    lassoed = title.text_content() or ""
    assert len((parameter(page, "lasso") or "").split(",")) <= 80
    around = ((plane - middle) / reach) ** 2
    assert abs(int(lassoed.split()[0]) - int((around.sum(1) < 1).sum())) <= 3

    page.keyboard.down("Shift")
    drag(page, [spot(page, low), spot(page, high)])
    page.keyboard.up("Shift")
    page.wait_for_url("**box=*")
    assert parameter(page, "lasso") is None
    expect(title).not_to_have_text(lassoed)
    boxed = title.text_content() or ""
    page.reload()
    expect(page.locator(DRAWN)).to_be_visible()
    expect(title).to_have_text(boxed)
    page.go_back()
    expect(title).to_have_text(lassoed)
    page.go_back()
    expect(panel).to_be_hidden()
    page.go_forward()
    expect(title).to_have_text(lassoed)
    shared = page.url
    page.goto("about:blank")
    page.goto(shared)
    expect(title).to_have_text(lassoed)


def test_a_line_selects_nothing(app: str, plane: np.ndarray, page: Page) -> None:
    """Its two ends are no outline: as an address it could not be read."""
    visit_map(page, f"{app}/map")
    low, high = np.quantile(plane, 0.42, axis=0), np.quantile(plane, 0.58, axis=0)
    page.keyboard.down("Shift")
    drag(page, [spot(page, low), spot(page, high)])
    page.keyboard.up("Shift")
    page.wait_for_url("**box=*")
    page.locator("button[data-tool=lasso]").click()
    drag(page, [spot(page, low + share * (high - low)) for share in np.linspace(0, 1, 60)])
    expect(page.locator("[data-map-selection]")).to_be_hidden()
    page.wait_for_url(lambda url: "box=" not in url)
    assert parameter(page, "lasso") is None


def test_colour_and_view_survive_going_away_and_back(app: str, plane: np.ndarray, page: Page) -> None:
    visit_map(page, f"{app}/map")
    page.locator(".sp-mapbar select").select_option("score")
    page.wait_for_url("**/map?color=score*")
    expect(page.locator(DRAWN)).to_be_visible()
    before = page.evaluate("history.length")
    page.mouse.move(*spot(page, np.median(plane, axis=0)))
    zoom_in(page)
    view = view_of(page)
    assert page.evaluate("history.length") == before, "looking around is no step of history"
    page.mouse.click(*spot(page, nearest_inside(plane, view)))
    expect(page.locator("h1 .sp-no")).to_be_visible()
    page.go_back()
    expect(page.locator(DRAWN)).to_be_visible()
    expect(page.locator(".sp-mapbar select")).to_have_value("score")
    assert view_of(page) == pytest.approx(view, rel=1e-3, abs=1e-3)


def test_a_map_whose_points_are_on_their_way_takes_every_move_quietly(app: str, page: Page) -> None:
    """Moved, and left for another colour before the address says so; and its tools before there is anything."""
    visit_map(page, f"{app}/map")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/points/**", hold)
    box = page.locator(DRAWN).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.evaluate("""() => {
        const turn = new WheelEvent("wheel", {deltaY: -300, cancelable: true});
        document.querySelector(".sp-mapcanvas").dispatchEvent(turn);
        const field = document.querySelector(".sp-mapbar select");
        field.value = "score";
        field.dispatchEvent(new Event("change", {bubbles: true}));
    }""")
    page.wait_for_url("**/map?color=score*")
    expect(page.locator(".sp-mapcanvas:not([data-drawn])")).to_be_visible()
    page.wait_for_timeout(600)
    for tool in ("closer", "farther", "show the whole map"):
        page.get_by_label(tool).click()
    for route in held:
        route.continue_()
    expect(page.locator(DRAWN)).to_be_visible()


def zoom_in(page: Page) -> None:
    """With the wheel, until the address says so: on a slow machine the map may just be drawn anew, and miss a turn."""
    for _ in range(10):
        page.mouse.wheel(0, -300)
        with contextlib.suppress(TimeoutError):
            page.wait_for_url("**view=*", timeout=3_000)
            page.wait_for_timeout(1_000)  # a turn of the wheel that came late moves the map once more
            return
    raise AssertionError("the wheel does nothing")


def nearest_inside(plane: np.ndarray, view: list[float]) -> np.ndarray:
    """The point nearest to the middle of what is shown."""
    middle = np.array([view[0] + view[1], view[2] + view[3]]) / 2
    found: np.ndarray = plane[np.linalg.norm(plane - middle, axis=1).argmin()]
    return found


def test_a_number_is_found_and_neighbours_are_walked(
    app: str, store: LatentStore, plane: np.ndarray, page: Page
) -> None:
    visit_map(page, f"{app}/map?view=0,1,0,1")
    page.locator(".sp-mapbar input[name=q]").fill("#7")
    page.keyboard.press("Enter")
    expect(page.locator(".sp-mapring")).to_be_visible()
    box = page.locator(DRAWN).bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert spot(page, plane[7]) == pytest.approx(middle, abs=2)
    other = int(store.similar_latents(7, 1).ids[0])
    page.get_by_label(f"centre the map on #{other}").click()
    page.wait_for_url(f"**/map?latent={other}")
    expect(page.locator(".sp-mappanel .sp-stripcard .sp-no")).to_have_text(f"#{other}")


def test_few_points_are_called_by_name(app: str, store: LatentStore, plane: np.ndarray, page: Page) -> None:
    middle = np.median(plane, axis=0)
    reach = np.sort(np.abs(plane - middle).max(1))[8]
    x, y = middle.tolist()
    visit_map(page, f"{app}/map?view={x - reach},{x + reach},{y - reach},{y + reach}")
    x0, x1, y0, y1 = view_of(page)
    inside = (plane > [x0, y0]) & (plane < [x1, y1])
    latents = np.flatnonzero(inside.all(1)).tolist()
    names = [display_name(store, latent).text or f"#{latent}" for latent in latents]
    expect(page.locator(".sp-mapname")).to_have_text(names)
    page.get_by_label("show the whole map").click()
    expect(page.locator(".sp-mapname")).to_have_count(0)


def test_keys_move_the_map(app: str, page: Page) -> None:
    visit_map(page, f"{app}/map")
    before = view_of(page)
    page.locator(DRAWN).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.wait_for_url("**view=*")
    after = view_of(page)
    assert after[1] - after[0] == pytest.approx((before[1] - before[0]) / 1.5, rel=1e-3)
    assert sum(after[:2]) > sum(before[:2])
    page.get_by_label("show the whole map").click()
    page.wait_for_function("() => !location.search.includes('view=')")
    assert view_of(page) == pytest.approx(before, rel=1e-3, abs=1e-3)


def test_a_finger_gets_the_card_with_a_link(app: str, plane: np.ndarray, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    visit_map(page, f"{app}/map")
    latent = lonely(plane)
    page.touchscreen.tap(*spot(page, plane[latent]))
    expect(page.locator(".sp-mapcard")).to_have_attribute("data-latent", str(latent))
    edges = page.locator(".sp-mapcard, .sp-map, .sp-mapbar, .sp-mappanel, .sp-maptools").evaluate_all(
        "all => Math.max(...all.map(e => e.getBoundingClientRect().right))"
    )
    assert edges <= 391
    assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    page.locator(".sp-mapcard a").tap()
    expect(page.locator("h1 .sp-no")).to_have_text(f"#{latent}")
    context.close()


UNDER_THE_SHEET = 0.75  # of the window: what is lower may lie under the card of the latent before


def test_a_tap_shows_a_latent_wherever_it_is_on_a_phone(app: str, plane: np.ndarray, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    visit_map(page, f"{app}/map")
    box = page.locator(DRAWN).bounding_box()
    assert box is not None
    spots = {latent: spot(page, plane[latent]) for latent in range(len(plane))}
    spots = {latent: at for latent, at in spots.items() if at[1] < UNDER_THE_SHEET * 844}
    card = page.locator(".sp-mapcard")
    for share in (0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9):
        wanted = box["x"] + share * box["width"]
        latent = min(spots, key=lambda one: abs(spots[one][0] - wanted))
        page.touchscreen.tap(*spots[latent])
        expect(card).to_be_visible()
        page.wait_for_timeout(300)  # the click that a tap ends with comes late
        expect(card).to_be_visible()
        edges = card.bounding_box()
        assert edges is not None
        assert edges["height"] < 0.35 * box["height"], "most of the map stays in sight"
    card.locator("a").tap()
    expect(page.locator("h1 .sp-no")).to_be_visible()
    context.close()


def test_the_page_scrolls_past_the_whole_map(app: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    visit_map(page, f"{app}/map")
    page.wait_for_timeout(500)
    hand = context.new_cdp_session(page)

    def swipe() -> float:
        """Up, in the middle of the map; how far down the page is then."""
        for y in range(650, 440, -15):
            kind = "touchStart" if y == 650 else "touchMove"
            hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": 195, "y": y}]})
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(500)
        scrolled: float = page.locator("[data-testid=stMain]").evaluate("main => main.scrollTop")
        return scrolled

    view = view_of(page)
    assert swipe() > 100
    assert view_of(page) == view
    page.locator("[data-testid=stMain]").evaluate("main => { main.scrollTop = 0; }")
    page.get_by_label("closer").tap()
    expect(page.locator(DRAWN)).to_have_attribute("data-whole", "false")
    view = view_of(page)
    assert swipe() == 0, "closer, a swipe moves the map"
    assert view_of(page) != view
    context.close()


def test_a_picture_of_the_map(app: str, page: Page) -> None:
    visit_map(page, f"{app}/map?color=label")
    with page.expect_download() as started:
        page.locator(".sp-maptools").get_by_text("PNG").click()
    assert started.value.suggested_filename == "sparsight-map.png"
