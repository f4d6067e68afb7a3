"""Every page, in both themes, by axe's rules: names, roles, structure, contrast."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from sae_core import LatentStore
from tests.e2e.conftest import settled

RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}
STREAMLITS = {"presentation-role-conflict"}  # of its uploader


def addresses(store: LatentStore) -> list[str]:
    busy = int(store.latents["n_active"].to_numpy().argmax())
    dead = int(store.latents["n_active"].to_numpy().argmin())
    label = store.labels.names[int(store.labels.counts.argmax())]
    return [
        "",
        "latents?text=red&q=things",
        "latents?q=no+such+word",
        f"latent?latent={busy}",
        f"latent?latent={dead}",
        f"map?q={label}&latent={busy}",
        "pictures",
        f"pictures?all_of={busy}",
        "inspect",
        f"inspect?image=7&prompts=a+dog&where={busy}&edit={busy}:0",
        f"compare?a=7&b=label:{label}",
        f"spans?of=label:{label}",
        f"list?latents={busy},{dead}",
        "quality",
        "notes",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_breaks_a_rule(app: str, store: LatentStore, browser: Browser, theme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    page, broken = context.new_page(), []
    for address in addresses(store):
        page.goto(f"{app}/{address}")
        settled(page)
        page.wait_for_timeout(500)  # what fades in has its colour by then
        found = Axe().run(page, options=RULES).response["violations"]
        broken += [
            f"{address}: {rule['id']} at {' '.join(map(str, rule['nodes'][0]['target']))}"
            for rule in found
            if rule["id"] not in STREAMLITS
        ]
    context.close()
    assert broken == []


def luminance(color: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_in_plots_stand_out_from_the_page(app: str, browser: Browser, theme: Literal["light", "dark"]) -> None:
    """axe does not look into plots."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}, color_scheme=theme).new_page()
    for address in ("inspect?image=3", "spans?of=birds"):
        page.goto(f"{app}/{address}")
        expect(page.locator(".js-plotly-plot .annotation-text")).not_to_have_count(0, timeout=120_000)
        settled(page)
        ground = luminance(page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor"))
        inks = page.locator(".js-plotly-plot :is(.annotation-text, .bartext-outside, .xtick text)").evaluate_all(
            "all => [...new Set(all.map(text => getComputedStyle(text).fill))]"
        )
        for ink in inks:
            low, high = sorted((ground, luminance(ink)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (address, ink)
    page.context.close()
