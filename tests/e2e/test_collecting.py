"""Names, notes and lists, as people use them: in one browser, in another one, without a right to write."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from sae_core import LatentStore
from tests.e2e.conftest import served, settled
from tests.e2e.test_browsing import mark_document, parameter, same_document, visit

NAME = "<b>citrus</b> & “co”"


def edit(page: Page) -> None:
    page.locator(".st-key-title-row").get_by_role("button", name="edit").click()
    expect(page.get_by_role("textbox", name="name", exact=True)).to_be_visible()


def test_a_name_is_given_seen_everywhere_and_undone(app: str, store: LatentStore, page: Page) -> None:
    latent = int(store.latents["density"].idxmax())  # the first card of the most frequent
    visit(page, f"{app}/latent?latent={latent}", "h1")
    before = page.locator("h1").inner_text()
    edit(page)
    page.get_by_role("textbox", name="name", exact=True).fill(NAME)
    page.get_by_role("textbox", name="note", exact=True).fill("one\n<script>alert(1)</script>")
    page.get_by_role("button", name="save", exact=True).click()
    expect(page.locator("h1 .sp-given")).to_have_text(NAME)
    expect(page.locator(".sp-noted p")).to_have_text("one\n<script>alert(1)</script>", use_inner_text=True)
    page.locator("h1 .sp-given").hover()
    expect(page.locator(".sp-tip")).to_contain_text("named by a person; automatic:")

    visit(page, f"{app}/latents?sort=frequent", ".sp-card")
    expect(page.locator(".sp-card").first.locator(".sp-given")).to_have_text(NAME)
    visit(page, f"{app}/latents?q=citrus+alert", ".sp-card")
    expect(page.locator(".sp-card .sp-no")).to_have_text([f"#{latent}"])
    visit(page, f"{app}/notes", ".sp-noterow")
    expect(page.locator(".sp-noterow .sp-given")).to_have_text(NAME)

    visit(page, f"{app}/latent?latent={latent}", "h1 .sp-given")
    edit(page)
    page.get_by_role("button", name="undo the last change").click()
    expect(page.locator("h1 .sp-given")).to_have_count(0)
    expect(page.locator("h1")).to_have_text(before, use_inner_text=True)
    expect(page.locator(".sp-noted")).to_have_count(0)


def test_the_form_of_a_name_takes_the_keys(app: str, page: Page) -> None:
    visit(page, f"{app}/latent?latent=12", "h1")
    settled(page)  # what is drawn anew meanwhile loses the focus
    button = page.locator(".st-key-title-row").get_by_role("button", name="edit")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="name", exact=True)).to_be_focused()
    expect(page.get_by_role("textbox", name="note", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="note", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_a_name_from_right_to_left_leaves_the_title_in_order(app: str, page: Page) -> None:
    visit(page, f"{app}/latent?latent=11", "h1")
    edit(page)
    page.get_by_role("textbox", name="name", exact=True).fill("flag 🏴 مرحبا")
    page.get_by_role("button", name="save", exact=True).click()
    name = page.locator("h1 .sp-given")
    expect(name).to_contain_text("مرحبا")
    title, share = name.bounding_box(), page.locator("h1 .sp-share")
    # The parts of the number one by one: the digits would stand in the name, and the % beyond them.
    lefts = share.evaluate(
        """span => [...span.textContent].map((_, i) => {
            const range = document.createRange();
            range.setStart(span.firstChild, i);
            range.setEnd(span.firstChild, i + 1);
            return range.getBoundingClientRect().left;
        })"""
    )
    assert title is not None
    assert lefts == sorted(lefts)
    assert lefts[0] >= title["x"] + title["width"]
    edit(page)
    page.get_by_role("button", name="undo the last change").click()
    expect(page.locator("h1 .sp-given")).to_have_count(0)


def test_two_people_give_one_latent_a_name(app: str, browser: Browser, page: Page) -> None:
    other = browser.new_context().new_page()
    for one in (page, other):
        visit(one, f"{app}/latent?latent=9", "h1")
        edit(one)
    for one, name in ((page, "first"), (other, "second")):
        one.get_by_role("textbox", name="name", exact=True).fill(name)
        one.get_by_role("button", name="save", exact=True).click()
    expect(page.locator("h1 .sp-given")).to_have_text("first")
    expect(other.locator(".sp-note")).to_contain_text("somebody changed this meanwhile")
    expect(other.locator("h1 .sp-given")).to_have_text("first")
    other.get_by_role("button", name="save yours instead").click()
    expect(other.locator("h1 .sp-given")).to_have_text("second")
    expect(other.locator(".sp-note")).to_have_count(0)
    other.context.close()


def numbers(page: Page, selector: str) -> list[int]:
    return [int(text[1:]) for text in page.locator(f"{selector} .sp-no").all_text_contents()]


def collect(page: Page, n: int) -> list[int]:
    """The first n cards of the grid, by their "+"."""
    for card in page.locator(".sp-card").all()[:n]:
        card.hover()
        card.locator(".sp-add").click()
    expect(page.locator(".sp-tray")).to_contain_text(f"{n} latents in your list")
    return numbers(page, ".sp-card")[:n]


def rows_of(download: Download) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(Path(download.path()).read_text(encoding="utf-8"))))


def test_a_list_from_the_grid_to_somebody_else(app: str, store: LatentStore, browser: Browser, page: Page) -> None:
    visit(page, f"{app}/latents", ".sp-card")
    mark_document(page)
    wanted = collect(page, 3)
    page.locator(".sp-pager a[rel=next]").click()
    expect(page.locator(".sp-pager b")).to_have_text("2")
    expect(page.locator(".sp-tray")).to_contain_text("3 latents")
    page.locator(".sp-header nav").get_by_text("List").click()  # as the tray's "open"
    expect(page.locator(".sp-listrow")).to_have_count(3)
    page.go_back()
    expect(page.locator(".sp-pager b")).to_have_text("2")
    page.locator(".sp-tray").get_by_text("open").click()
    expect(page.locator(".sp-listrow")).to_have_count(3)
    assert parameter(page, "latents") == ",".join(map(str, wanted))
    assert parameter(page, "sae") == store.manifest.sae.fingerprint[:8]
    expect(page.locator(".sp-tray")).to_be_hidden()

    page.locator(".sp-rename input[name=list_title]").fill("Für “Dich” <i>")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Für “Dich” <i>")
    page.get_by_label(f"move #{wanted[0]} down").click()
    wanted = [wanted[1], wanted[0], wanted[2]]
    page.wait_for_url(f"**/list?latents={','.join(map(str, wanted))}&*")
    assert same_document(page)
    address = page.url
    expect(page.locator(".sp-refused")).to_have_count(0)

    other = browser.new_context(accept_downloads=True).new_page()
    other.goto(address)
    expect(other.locator(".sp-listrow")).to_have_count(3, timeout=30_000)
    assert numbers(other, ".sp-listrow") == wanted
    expect(other.locator("h1")).to_have_text("Für “Dich” <i>")
    with other.expect_download() as started:
        other.get_by_role("link", name="CSV").first.click()
    assert started.value.suggested_filename.endswith(".csv")
    rows = rows_of(started.value)
    assert [int(row["latent"]) for row in rows] == wanted
    assert [int(row["n_active"]) for row in rows] == store.latents.loc[wanted, "n_active"].tolist()

    other.get_by_text("make this my list").click()
    visit(other, f"{app}/latent?latent={wanted[0]}", "h1")
    expect(other.locator(".sp-tray")).to_contain_text("3 latents in your list")
    expect(other.locator(".sp-title .sp-add")).to_have_text("✓ list")
    other.locator(".sp-title .sp-add").click()
    expect(other.locator(".sp-tray")).to_contain_text("2 latents in your list")
    other.context.close()

    page.get_by_label(f"remove #{wanted[1]} from the list").click()
    expect(page.locator(".sp-listrow")).to_have_count(2)
    page.locator(".sp-header nav").get_by_text("Latents").click()
    expect(page.locator(".sp-tray")).to_contain_text("2 latents in your list")  # one's own list follows its edits


def test_somebody_elses_list_leaves_ones_own_alone(app: str, page: Page) -> None:
    visit(page, f"{app}/latents", ".sp-card")
    mine = collect(page, 2)
    visit(page, f"{app}/list?latents=1,2,3", ".sp-listrow")
    page.get_by_label("remove #2 from the list").click()
    expect(page.locator(".sp-listrow")).to_have_count(2)
    page.locator(".sp-tray").get_by_text("open").click()
    page.wait_for_url(f"**/list?latents={','.join(map(str, mine))}&sae=*")


def test_a_list_of_another_sae_says_so(app: str, store: LatentStore, page: Page) -> None:
    visit(page, f"{app}/list?latents=1,2,3&sae=0123abcd", ".sp-listrow")
    warning = page.locator(".sp-refused")
    expect(warning).to_contain_text("made with another SAE (0123abcd")
    page.locator(".sp-rename input[name=list_title]").fill("theirs")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("theirs")
    expect(warning).to_be_visible()
    page.get_by_text("make this my list").click()
    page.locator(".sp-header nav").get_by_text("List").click()
    expect(warning).to_have_count(0)  # taken over, the numbers are this store's
    assert parameter(page, "sae") == store.manifest.sae.fingerprint[:8]


def test_clear_can_be_undone(app: str, page: Page) -> None:
    visit(page, f"{app}/latents", ".sp-card")
    mine = collect(page, 2)
    page.locator(".sp-tray").get_by_text("clear").click()
    expect(page.locator(".sp-tray")).to_contain_text("list cleared")
    expect(page.locator(".sp-add[aria-pressed=true]")).to_have_count(0)
    page.locator(".sp-tray").get_by_text("undo").click()
    expect(page.locator(".sp-tray")).to_contain_text("2 latents in your list")
    page.reload()
    expect(page.locator(".sp-add[aria-pressed=true]")).to_have_count(2)
    assert numbers(page, ".sp-card")[:2] == mine


def test_somebody_elses_list_instead_of_ones_own_can_be_undone(app: str, page: Page) -> None:
    visit(page, f"{app}/latents", ".sp-card")
    mine = collect(page, 2)
    visit(page, f"{app}/list?latents=1,2,3&title=Theirs", ".sp-listrow")
    page.get_by_text("make this my list").click()
    expect(page.locator(".sp-tray")).to_contain_text("your list was replaced")
    page.locator(".sp-tray").get_by_text("undo").click()
    expect(page.locator(".sp-tray")).to_contain_text("2 latents in your list")
    page.locator(".sp-tray").get_by_text("open").click()
    page.wait_for_url(f"**/list?latents={','.join(map(str, mine))}&sae=*")


def test_somebody_elses_list_joins_ones_own(app: str, page: Page) -> None:
    visit(page, f"{app}/list?latents=1,2,3", ".sp-listrow")
    expect(page.get_by_text("make this my list")).to_be_visible()
    expect(page.get_by_text("add to my list")).to_be_hidden()  # there is none yet
    page.get_by_text("make this my list").click()
    expect(page.locator(".sp-tray")).to_be_hidden()  # nothing was lost
    visit(page, f"{app}/list?latents=3,4,5", ".sp-listrow")
    page.get_by_text("add to my list").click()
    expect(page.locator(".sp-tray")).to_contain_text("2 added to your list")
    expect(page.get_by_text("add to my list")).to_be_hidden()
    page.locator(".sp-tray").get_by_text("undo").click()
    expect(page.locator(".sp-tray")).to_contain_text("3 latents in your list")
    page.get_by_text("add to my list").click()
    page.locator(".sp-tray").get_by_text("open").click()
    page.wait_for_url("**/list?latents=1,2,3,4,5&sae=*")


def test_the_list_is_on_a_phone_too(app: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    visit(page, f"{app}/latents", ".sp-card")
    page.locator(".sp-add").first.tap()  # seen without hovering
    box = page.locator(".sp-tray").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    for path in (f"list?latents={','.join(map(str, range(30)))}&title={'x' * 100}", "notes", "quality"):
        page.goto(f"{app}/{path}")
        expect(page.locator("h1")).to_be_visible(timeout=30_000)
        page.wait_for_timeout(600)
        assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= 390, path
        edges = page.locator(".stHtml :is(img, input, div, section, p, h1, a)").evaluate_all(
            "all => Math.max(...all.map(e => e.getBoundingClientRect().right))"
        )
        assert edges <= 391, path
    context.close()


def test_a_list_opens_without_the_link_script(app: str, browser: Browser) -> None:
    context = browser.new_context()
    context.add_init_script("window.sparsightLinks = true")
    page = context.new_page()
    page.goto(f"{app}/list?latents=5,3&title=two")
    expect(page.locator(".sp-listrow")).to_have_count(2, timeout=30_000)
    expect(page.locator(".sp-listrow .sp-add")).to_have_count(0)
    page.get_by_label("remove #5 from the list").click()
    expect(page.locator(".sp-listrow")).to_have_count(1, timeout=30_000)
    page.locator(".sp-rename input[name=list_title]").fill("one")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("one", timeout=30_000)
    assert numbers(page, ".sp-listrow") == [3]
    context.close()


@pytest.fixture(scope="module")
def read_only(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("read-only")
    notes = str(folder / "notes.sqlite")
    with served(folder, SPARSIGHT_STORE=str(demo_store), SPARSIGHT_NOTES=notes, SPARSIGHT_READ_ONLY="1") as address:
        yield address


def test_read_only_has_no_edit_control(read_only: str, page: Page) -> None:
    visit(page, f"{read_only}/latent?latent=9", "h1")
    expect(page.get_by_role("button", name="edit")).to_have_count(0)
    expect(page.locator(".sp-title .sp-add")).to_be_visible()  # a list is the reader's own
    visit(page, f"{read_only}/notes", ".sp-note")
    expect(page.get_by_text("This explorer is read-only.")).to_be_visible()
    expect(page.locator("[data-testid=stFileUploader]")).to_have_count(0)


def test_the_report_card(app: str, store: LatentStore, page: Page) -> None:
    visit(page, f"{app}/", ".sp-facts")
    page.get_by_text("whole report card").click()
    expect(page.locator(".js-plotly-plot")).to_have_count(6)
    page.locator(".sp-facts a", has_text=str(store.manifest.report.n_dead)).first.click()
    page.wait_for_url("**/latents?life=dead")
    expect(page.locator(".sp-summary")).to_contain_text(f"{store.manifest.report.n_dead} of")
