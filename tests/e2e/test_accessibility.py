"""Every page, in both themes, by axe's rules: names, roles, structure, contrast."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

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
