"""Our own routes and headers, without a browser."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from explorer.early import EarlyStyle
from explorer.middleware import AllowedHosts, SecurityHeaders, content_security_policy, hosts_from_environment
from explorer.routes import guarded_parts, routes
from explorer.stores import STORE_VARIABLE
from sae_core import LatentStore
from sae_core.references import REPOSITORY_ROOT


@pytest.fixture
def client(shown: LatentStore) -> TestClient:
    middleware = [Middleware(AllowedHosts), Middleware(SecurityHeaders, policy=content_security_policy())]
    return TestClient(Starlette(routes=routes(), middleware=middleware), base_url="http://localhost")


def test_thumbnail(client: TestClient, shown: LatentStore) -> None:
    answer = client.get(f"/thumb/{shown.version}/7")
    picture = shown.thumbnail(7)
    assert picture is not None
    assert (answer.status_code, answer.content) == (200, picture.data)
    assert answer.headers["content-type"] == picture.media_type
    assert "immutable" in answer.headers["cache-control"]
    assert "script-src" in answer.headers["content-security-policy"]
    for tag in (answer.headers["etag"], f"W/{answer.headers['etag']}", f'"other", {answer.headers["etag"]}'):
        unchanged = client.get(f"/thumb/{shown.version}/7", headers={"If-None-Match": tag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.parametrize("image_id", ["180", "-1", "x", "1.0", "%C2%B2", "9" * 40, "..%2f..%2fetc%2fpasswd"])
def test_anything_off_is_404(client: TestClient, shown: LatentStore, image_id: str) -> None:
    answer = client.get(f"/thumb/{shown.version}/{image_id}")
    assert answer.status_code == 404
    assert answer.headers.get("cache-control") in ("no-store", None)


def test_another_version_is_404(client: TestClient) -> None:
    assert client.get("/thumb/000000000000/7").status_code == 404


def test_without_a_store_is_404(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, "/nowhere")
    assert client.get("/thumb/000000000000/7").status_code == 404


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "192.168.1.20:80", "sparsight", "lab.localhost"],
)
def test_local_hosts_are_answered(host: str) -> None:
    assert AllowedHosts(Starlette()).allows(host)


@pytest.mark.parametrize("host", ["", "evil.example.com", "127.0.0.1.nip.io", "localhost.evil.com:8501", "a b", "[::1"])
def test_other_names_are_not(host: str) -> None:
    assert not AllowedHosts(Starlette()).allows(host)


def test_listed_names_are_answered(monkeypatch: pytest.MonkeyPatch, shown: LatentStore) -> None:
    monkeypatch.setenv("SPARSIGHT_ALLOWED_HOSTS", "app.example.org, *.lab.example.org")
    guard = AllowedHosts(Starlette(), hosts_from_environment())
    assert guard.allows("app.example.org:443")
    assert guard.allows("x.lab.example.org")
    assert not guard.allows("example.org")
    assert AllowedHosts(Starlette(), ("*",)).allows("anything.example.com")


def test_a_refused_host_is_told_why(client: TestClient) -> None:
    answer = client.get("/thumb/x/1", headers={"Host": "evil.example.com"})
    assert answer.status_code == 400
    assert "SPARSIGHT_ALLOWED_HOSTS" in answer.text


@pytest.mark.parametrize(
    "path", ["export", "export/", "export/nothing", "thumb/x", "thumb/x/7/8", "tip/x", "refs", "points/x/y", "api"]
)
def test_nothing_below_our_own_addresses_is_a_page(client: TestClient, path: str) -> None:
    answer = client.get(f"/{path}")
    assert answer.status_code == 404
    assert answer.text.startswith("nothing has this address; ")
    assert "text/plain" in answer.headers["content-type"] and answer.headers["cache-control"] == "no-store"


def test_an_address_of_the_api_that_is_none_is_a_sentence(client: TestClient) -> None:
    answer = client.get("/api/nothing")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "nothing has this address; api/openapi.json says what there is"}


def test_a_figure_as_png_is_told_where_it_is_drawn(client: TestClient) -> None:
    answer = client.get("/export/figure.png?latents=3,7&title=Mine")
    assert answer.status_code == 404
    said = "a figure is drawn as PNG by the browser, with the button beside it; the server has it as SVG: "
    assert answer.text == f"{said}export/figure.svg?latents=3,7&title=Mine\n"
    assert client.get("/" + answer.text.split()[-1]).status_code == 200


@pytest.mark.parametrize(
    ("guessed", "page"),
    [
        ("latent/340", "latent?latent=340"),
        ("latent/340?view=deciles&latent=1", "latent?view=deciles&latent=340"),
        ("inspect/12", "inspect?image=12"),
        ("latent/street%20sign", "latent?latent=street+sign"),  # the page says that this is no number
    ],
)
def test_a_number_as_a_path_leads_to_its_page(client: TestClient, guessed: str, page: str) -> None:
    answer = client.get(f"/{guessed}", follow_redirects=False)
    assert answer.status_code == 307
    assert str(answer.url.join(answer.headers["location"])) == f"http://localhost/{page}"
    assert not {"latent", "inspect"} & guarded_parts(), "the page itself asks for the login"


def test_the_policy_names_streamlits_inline_script() -> None:
    policy = content_security_policy()
    assert "'sha256-" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' blob: 'sha256-" in policy


def test_a_refused_host_gets_no_websocket(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/x", headers={"Host": "evil.example.com"}):
        pass


def test_the_tabs_picture_is_ours(client: TestClient) -> None:
    answer = client.get("/favicon.png")
    assert answer.status_code == 200
    assert answer.content == (REPOSITORY_ROOT / "explorer" / "static" / "icon.png").read_bytes()


def test_a_page_is_hidden_until_its_style_has_come() -> None:
    """Whatever the app compresses, and told apart from the file that lies on the disk."""
    index = HTMLResponse("<html><head></head><body></body></html>", headers={"ETag": '"1"'})
    other = PlainTextResponse("</head>", headers={"ETag": '"2"'})
    table = PlainTextResponse("a,b", headers={"ETag": '"3"'})
    pages = [Route("/", lambda _: index), Route("/other", lambda _: other), Route("/a.csv", lambda _: table)]
    middleware = [Middleware(EarlyStyle), Middleware(GZipMiddleware, minimum_size=1)]
    client = TestClient(Starlette(routes=pages, middleware=middleware))
    page = client.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert "visibility: hidden" in page.text.split("</head>")[0]
    assert '#root:empty::before { content: "Sparsight is loading \\2026"' in page.text
    assert "etag" not in page.headers
    assert client.get("/").headers["etag"] == '"1"'
    assert client.get("/other", headers={"Accept": "text/html"}).text == "</head>"
    assert client.get("/a.csv", headers={"Accept": "text/html"}).headers["content-encoding"] == "gzip"
