"""Login through a provider of OpenID Connect: pages, pictures, exports and the API are for those who may come in."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from explorer.routes import guarded_parts
from sae_core import LatentStore
from tests.e2e.conftest import free_port, served, settled
from tests.support.oidc import CLIENT, SECRET, Provider, provider
from tests.support.stores import make_store


@dataclass
class Site:
    address: str
    provider: Provider
    thumbnail: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    path = make_store(folder / "store", n_images=60, n_latents=48, k=4)
    with provider() as oidc:
        secrets = folder / "secrets.toml"
        secrets.write_text(
            f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{"s" * 40}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{oidc.address}/.well-known/openid-configuration"\n'
        )
        environment = {
            "SPARSIGHT_STORE": str(path),
            "SPARSIGHT_NOTES": str(folder / "notes.sqlite"),
            "SPARSIGHT_LOGIN": "*@example.org, guest@elsewhere.net",
            "STREAMLIT_SECRETS_FILES": str(secrets),
        }
        with served(folder, port=port, **environment) as address:
            yield Site(address, oidc, f"thumb/{LatentStore.open(path).version}/3")


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_nothing_is_shown_to_a_stranger(site: Site, visitor: Page) -> None:
    visitor.goto(f"{site.address}/latents")
    expect(visitor.get_by_role("button", name="Log in")).to_be_visible()
    settled(visitor)
    assert "Test pictures" not in visitor.locator("body").inner_text()
    assert guarded_parts() == {"thumb", "export", "tip", "points", "refs", "api"}
    for path in (
        site.thumbnail,
        "export/latents.csv",
        "api/store",
        "api/openapi.json",
        "tip/x/3",
        "points/x",
        "refs/x",
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{site.address}/{path}")
        assert caught.value.code == 401, path


def test_who_is_on_the_list_comes_in_and_goes(site: Site, visitor: Page) -> None:
    site.provider.email = "ada@example.org"
    visitor.goto(f"{site.address}/")
    visitor.get_by_role("button", name="Log in").click()
    expect(visitor.get_by_text("Striking latents")).to_be_visible()
    settled(visitor)
    picture = visitor.locator("img[src^='thumb/']").first
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    assert visitor.request.get(f"{site.address}/api/store").status == 200
    visitor.get_by_role("link", name="log out").click()
    expect(visitor.get_by_role("button", name="Log in")).to_be_visible()
    assert visitor.request.get(f"{site.address}/{site.thumbnail}").status == 401


@pytest.mark.parametrize(("email", "verified"), [("eve@elsewhere.net", True), ("mallory@example.org", False)])
def test_who_is_not_on_the_list_stays_outside(site: Site, visitor: Page, email: str, verified: bool) -> None:
    site.provider.email, site.provider.verified = email, verified
    visitor.goto(f"{site.address}/")
    visitor.get_by_role("button", name="Log in").click()
    expect(visitor.get_by_text("not open to you")).to_be_visible()
    expect(visitor.get_by_text(email)).to_be_visible()
    assert visitor.request.get(f"{site.address}/api/store").status == 401
    site.provider.verified = True


def test_a_cookie_that_somebody_made_is_none(site: Site) -> None:
    user = json.dumps({"is_logged_in": True, "email": "ada@example.org", "origin": site.address})
    for cookie in (user, "x", ""):
        request = urllib.request.Request(f"{site.address}/api/store", headers={"Cookie": f"_streamlit_user={cookie}"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        assert caught.value.code == 401
