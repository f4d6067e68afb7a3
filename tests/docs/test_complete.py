"""What there is stands in the docs: every variable, every option of a build, every question that the API answers."""

from __future__ import annotations

import re

import pytest

from explorer.api import create_api
from sae_core.references import REPOSITORY_ROOT as ROOT
from tests.docs.test_commands import help_of

DOCS = ROOT / "docs"
_FOLDERS = ("explorer", "index_builder", "sae_core")


def test_every_variable_is_among_the_settings() -> None:
    sources = [path.read_text() for folder in _FOLDERS for path in (ROOT / folder).rglob("*.py")]
    variables = {name for text in sources for name in re.findall(r'"(SPARSIGHT_[A-Z_]+)"', text)}
    assert len(variables) > 10
    settings = (DOCS / "deployment.md").read_text().partition("## Settings")[2]
    assert variables - set(re.findall(r"^\| `(\w+)`", settings, re.MULTILINE)) == set()


@pytest.mark.parametrize("command", ["build", "recode", "push", "pull"])
def test_every_option_is_named_somewhere(command: str) -> None:
    options = set(re.findall(r"--(?!no-)[a-z][\w-]*", help_of(command))) - {"--help"}
    assert len(options) > 1
    text = "\n".join(path.read_text() for path in DOCS.glob("*.md"))
    assert {option for option in options if not re.search(rf"{option}\b", text)} == set()


def test_every_question_to_the_api_is_named() -> None:
    page = (DOCS / "api.md").read_text()
    addresses = re.findall(r"`(?:POST )?(api/[^`?]*)", page)
    routes = create_api().openapi()["paths"]
    assert len(routes) > 10
    for path, methods in routes.items():
        pattern = re.compile("api" + re.sub(r"{\w+}", r"\\d+", path))
        assert any(pattern.fullmatch(address) for address in addresses), path
        for parameter in (one for method in methods.values() for one in method.get("parameters", [])):
            asked = parameter["in"] == "path" or re.search(rf"\b{parameter['name']}=", page)
            assert asked, f"{path}: {parameter['name']}"
