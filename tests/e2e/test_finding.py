"""Finding latents and pictures, as a person does."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from explorer.views.latent_table import latent_table
from explorer.views.latents import PER_PAGE
from explorer.views.latents_matching import matching
from explorer.views.latents_query import LatentsQuery
from sae_core import LatentStore
from tests.e2e.conftest import settled
from tests.e2e.test_browsing import mark_document, same_document, shown_images, visit


def asked(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def shown_latents(page: Page) -> list[int]:
    return [int(text.removeprefix("#")) for text in page.locator(".sp-card .sp-no").all_text_contents()]


def expect_latents(page: Page, latents: list[int]) -> None:
    expect(page.locator(".sp-card .sp-no")).to_have_text([f"#{latent}" for latent in latents])


CHOSEN_AGAIN = """() => {
  if (!location.search.includes("life")) return true;
  document.querySelector(".sp-filter select[name=life]")?.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def test_of_two_quick_choices_none_is_lost(app: str, page: Page) -> None:
    """The form is still the old page's when the second is made."""
    visit(page, f"{app}/latents?q=red", ".sp-summary")
    settled(page)
    page.evaluate("() => history.replaceState({}, '', 'latents?q=red&life=alive')")
    page.locator(".sp-filter select[name=min]").select_option("0.001")
    page.wait_for_url("**min=0.001**")
    assert asked(page) == {"q": "red", "life": "alive", "min": "0.001"}
    settled(page)
    page.locator(".sp-filter select[name=life]").select_option("")
    page.wait_for_function("() => !location.search.includes('life')")
    settled(page)
    page.evaluate("() => history.replaceState({}, '', 'latents?q=red&min=0.001&life=dead')")
    # Until it is heard: a form that is just being drawn anew takes what is said to it along.
    page.wait_for_function(CHOSEN_AGAIN, polling=500)
    assert asked(page) == {"q": "red", "min": "0.001"}, "a choice back to what was drawn is one"


def test_filters_combine_and_survive_a_latent_and_back(app: str, store: LatentStore, page: Page) -> None:
    visit(page, f"{app}/latents", ".sp-card")
    mark_document(page)
    label = latent_table(store).labels[0]
    page.locator(".sp-filter select[name=sort]").select_option("rare")
    page.wait_for_url("**/latents?sort=rare")
    page.locator(".sp-filter select[name=life]").select_option("alive")
    page.wait_for_url("**life=alive**")
    page.locator(".sp-filter select[name=min]").select_option("0.001")
    page.wait_for_url("**min=0.001**")
    expect(page.locator(".sp-chip")).to_have_count(2)  # drawn anew, and the field to type in with it
    settled(page)
    page.locator(".sp-filter input[name=label]").fill(label)
    page.keyboard.press("Enter")
    page.wait_for_url("**label=**")
    everything = {"sort": "rare", "life": "alive", "min": "0.001", "label": label}
    assert asked(page) == everything
    expected = matching(latent_table(store), LatentsQuery.from_params(everything)).tolist()
    assert len(expected) > 3
    expect_latents(page, expected[:PER_PAGE])
    expect(page.locator(".sp-summary [role=status]")).to_contain_text(f"{len(expected):,} of")

    page.locator(".sp-card").nth(2).locator(".sp-nine").click()
    expect(page.locator("h1 .sp-no")).to_have_text(f"#{expected[2]}")
    page.go_back()
    expect_latents(page, expected[:PER_PAGE])
    assert asked(page) == everything
    expect(page.locator(".sp-filter input[name=label]")).to_have_value(label)
    expect(page.locator(".sp-filter select[name=min]")).to_have_value("0.001")

    page.locator(".sp-chip").filter(has_text="alive only").click()
    page.wait_for_url(lambda url: "life=" not in url)
    assert asked(page) == {key: value for key, value in everything.items() if key != "life"}
    page.get_by_text("clear all").click()
    expect(page.locator(".sp-chip")).to_have_count(0)
    assert asked(page) == {"sort": "rare"}
    assert same_document(page)


def test_search_by_meaning(app: str, store: LatentStore, page: Page) -> None:
    visit(page, f"{app}/latents?life=alive", ".sp-card")
    page.locator(".sp-filter input[name=text]").fill("a red flower")
    page.keyboard.press("Enter")
    expect(page.locator(".sp-ranking")).to_contain_text("a red flower", timeout=120_000)
    embedding = store.load_encoder().encode_texts(["a red flower"])[0].numpy()
    known = store.latents["n_active"].to_numpy() > 0

    def best(against: str) -> list[int]:
        scores = store.text_scores(embedding, against)  # type: ignore[arg-type]
        return sorted(known.nonzero()[0].tolist(), key=lambda latent: -scores[latent])[:PER_PAGE]

    expect_latents(page, best("centroids"))
    expect(page.locator(".sp-ranking")).to_contain_text("centroid")
    expect(page.locator(".sp-ranking")).to_contain_text("Baseline")
    expect(page.locator(".sp-score").first).to_contain_text("cosine")
    assert asked(page) == {"text": "a red flower", "life": "alive"}

    page.locator(".sp-filter select[name=by]").select_option("directions")
    page.wait_for_url("**by=directions**")
    expect_latents(page, best("directions"))
    page.go_back()
    expect_latents(page, best("centroids"))


def test_an_example_picture_ranks_the_latents(app: str, store: LatentStore, page: Page) -> None:
    visit(page, f"{app}/inspect?image=77", ".sp-row")
    page.get_by_text("all latents ranked for this picture").click()
    code = store.code(77)
    expect(page.locator(".sp-ranking img")).to_be_visible()
    expect(page.locator(".sp-card")).to_have_count(PER_PAGE)
    assert shown_latents(page)[: len(code.latents)] == code.latents.tolist()
    expect(page.locator(".sp-card .sp-on")).to_have_count(len(code.latents))
    page.locator(".sp-chip").click()
    expect(page.locator(".sp-ranking")).to_have_count(0)


def two_that_meet(store: LatentStore) -> tuple[int, int]:
    """Two latents that are active together in some pictures, but not in all of the first's."""
    for latent in store.latents["n_active"].nlargest(20).index:
        for other in store.coactive(int(latent)).latents.tolist():
            n = len(store.images_where([int(latent), other]).image_ids)
            if 2 <= n < store.gallery_size(int(latent)):
                return int(latent), other
    raise AssertionError("no two latents meet")


def test_pictures_by_what_is_active_in_them(app: str, store: LatentStore, page: Page) -> None:
    a, b = two_that_meet(store)
    visit(page, f"{app}/pictures", ".sp-tile")
    mark_document(page)
    page.locator("input[name=all_of]").fill(f"#{a} #{b}")
    page.keyboard.press("Enter")
    both = store.images_where([a, b])
    expect(page.locator(".sp-summary [role=status]")).to_contain_text(f"{len(both.image_ids):,} of")
    expect(page.locator(".sp-summary [role=status]")).to_contain_text("independent")
    expect(page.locator(".sp-tile")).to_have_count(min(48, len(both.image_ids)))
    assert shown_images(page) == both.image_ids[:48].tolist()

    page.locator("input[name=all_of]").fill(str(a))
    page.locator("input[name=none_of]").fill(str(b))
    page.get_by_role("button", name="find pictures").click()
    without = store.images_where([a], [], [b])
    expect(page.locator(".sp-summary [role=status]")).to_contain_text(f"{len(without.image_ids):,} of")
    assert asked(page) == {"all_of": str(a), "none_of": str(b)}
    assert not set(shown_images(page)) & set(both.image_ids.tolist())

    page.locator(".sp-tile").first.click()
    expect(page.locator(".sp-row").first).to_be_visible()
    page.go_back()
    expect(page.locator("input[name=none_of]")).to_have_value(str(b))
    page.get_by_role("link", name=re.compile(f"remove #{b} ")).click()
    expect(page.locator(".sp-summary [role=status]")).to_contain_text(f"{store.gallery_size(a):,} of")
    assert asked(page) == {"all_of": str(a)}
    if store.gallery_size(a) > 48:
        page.locator(".sp-pager a[rel=next]").click()
        expect(page.locator(".sp-pager b")).to_have_text("2")
        assert shown_images(page) == store.gallery(a, 48, 96).image_ids.tolist()
    assert same_document(page)


def test_pictures_by_words_label_and_meaning(app: str, store: LatentStore, page: Page) -> None:
    visit(page, f"{app}/pictures", ".sp-tile")
    mark_document(page)
    page.locator(".sp-query input[name=q]").fill("flower")
    page.keyboard.press("Enter")
    n = int(store.images_saying("flower").sum())
    status = page.locator(".sp-summary [role=status]")
    expect(status).to_contain_text(f"{n:,} of")
    page.locator("input[name=text]").fill("a red flower")
    page.get_by_role("button", name="find pictures").click()
    expect(page.locator(".sp-ranking")).to_contain_text("For meaningless strings", timeout=60_000)
    expect(status).to_contain_text(f"{n:,} of")
    assert asked(page) == {"q": "flower", "text": "a red flower"}
    label = store.labels.offered(1)[0]
    page.get_by_role("link", name="remove words “flower”").click()
    expect(page.locator(".sp-query input[name=q]")).to_have_value("")
    page.locator("input[name=label]").fill(label)
    page.keyboard.press("Enter")
    expect(status).to_contain_text(f"{store.labels.counts.max():,} of")
    assert asked(page) == {"text": "a red flower", "label": label}
    page.go_back()
    expect(page.locator("input[name=label]")).to_have_value("")
    assert same_document(page)


def test_no_picture_and_the_way_out(app: str, store: LatentStore, page: Page) -> None:
    busy = int(store.latents["n_active"].idxmax())
    dead = int(store.latents.index[store.latents["n_active"] == 0][0])
    page.goto(f"{app}/pictures?all_of={busy},{dead}")
    expect(page.locator(".sp-note")).to_contain_text("No picture matches")
    expect(page.locator(".sp-note")).to_contain_text(f"#{dead} is dead")
    page.locator(".sp-note").get_by_text(f"#{dead}”").click()
    expect(page.locator(".sp-tile").first).to_be_visible()
    assert asked(page) == {"all_of": str(busy)}
    page.goto(f"{app}/pictures?all_of={store.n_latents}")
    expect(page.locator("[role=alert]")).to_contain_text(f"0 … {store.n_latents - 1:,}")


def test_on_a_phone_the_filters_fold(app: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    visit(page, f"{app}/latents", ".sp-card")
    sort, life = page.locator(".sp-filter select[name=sort]"), page.locator(".sp-filter select[name=life]")
    expect(sort).to_be_hidden()
    page.locator(".sp-filter summary").click()
    expect(sort).to_be_visible()
    sort.select_option("frequent")
    life.select_option("alive")
    page.wait_for_timeout(500)
    assert asked(page) == {}, "in the fold several choices are made before they are applied"
    page.get_by_role("button", name="apply").click()
    page.wait_for_url("**/latents?**")
    assert asked(page) == {"sort": "frequent", "life": "alive"}
    expect(page.locator(".sp-chip")).to_have_text(re.compile("alive only"))
    context.close()


@pytest.mark.parametrize("width", [390, 820])
@pytest.mark.parametrize(
    ("path", "wait_for"),
    [
        ("latents?text=a+red+flower&image=77&life=alive&region=-99,99,-99,99&latents=1,2,3,4,5", ".sp-card"),
        ("pictures", ".sp-tile"),
        ("pictures?any_of=1,2,3,4,5,6,7,8&none_of=9", ".sp-chip"),
    ],
)
def test_nothing_scrolls_sideways(app: str, browser: Browser, width: int, path: str, wait_for: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(f"{app}/{path}")
    expect(page.locator(wait_for).first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(400)
    assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    edges = page.locator(
        ".stHtml :is(img, select, input, div, section, article, p, h1, a:not(.sp-header nav a))"
    ).evaluate_all("all => Math.max(...all.filter(e => e.offsetParent).map(e => e.getBoundingClientRect().right))")
    assert edges <= width + 1
    context.close()
