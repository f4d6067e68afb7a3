"""Every command in the README and the docs: run here, or compared with what it calls, or named below."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from index_builder.cli import main
from sae_core.references import REPOSITORY_ROOT as ROOT
from tests.docs.test_links import PAGES
from tests.support.pictures import make_folder

MAKEFILE, DOCKERFILE = (ROOT / "Makefile").read_text(), (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
_VARIABLE = re.compile(r"([A-Z_]+)=(.*)")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^\n((?:    \S.*\n)+)", re.MULTILINE)


def commands(page: Path) -> list[str]:
    """Lines of blocks without a language, and of indented ones, continued lines joined, without comments."""
    text = page.read_text(encoding="utf-8")
    blocks = [body for language, body in _BLOCK.findall(text) if language in ("", "bash", "sh", "console")]
    blocks += _INDENTED.findall(_BLOCK.sub("", text))
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [" ".join(line.split("  #")[0].split()) for line in lines if line.strip()]


COMMANDS = [(page.name, line) for page in PAGES for line in commands(page)]


def words_of(line: str) -> tuple[dict[str, str], list[str]]:
    """Variables before a command, and the command."""
    words = shlex.split(line)
    n = next((n for n, word in enumerate(words) if not _VARIABLE.fullmatch(word)), len(words))
    return dict(word.split("=", 1) for word in words[:n]), words[n:]


def flags(words: list[str]) -> list[str]:
    return [word.split("=")[0] for word in words if word.startswith("--")]


@cache
def help_of(command: str) -> str:
    """In this process: starting another one takes seconds."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0, f"there is no {command}"
    return out.getvalue()


def _builder(words: list[str]) -> None:
    known = re.findall(r"--[\w-]+", help_of(words[3]))
    assert set(flags(words)) <= set(known), set(flags(words)) - set(known)


def _module(words: list[str]) -> None:
    path = ROOT / f"{words[2].replace('.', '/')}.py"
    path = path if path.is_file() else ROOT / words[2].replace(".", "/") / "__main__.py"
    source = path.read_text()
    for word in [*flags(words), *(word for word in words[3:4] if word.islower())]:
        assert word.lstrip("-").replace("-", "_") in source, f"{words[2]} knows no {word}"


def _make(words: list[str]) -> None:
    for word in words[1:]:
        name = word.split("=")[0]
        assert re.search(rf"^{name} \?=" if "=" in word else rf"^{name}:", MAKEFILE, re.MULTILINE) or (
            name in re.findall(r"[\w-]+", " ".join(re.findall(r"^[\w -]+:", MAKEFILE, re.MULTILINE)))
        ), word


def _docker(words: list[str]) -> None:
    """Files, build arguments and services exist; what only an engine can say is not asked."""
    if words[1] == "build":
        for argument in (words[n + 1] for n, word in enumerate(words) if word == "--build-arg"):
            assert f"ARG {argument.split('=')[0]}" in DOCKERFILE
        assert all((ROOT / words[n + 1]).is_file() for n, word in enumerate(words) if word == "-f")
    elif words[1] == "compose" and "run" in words:
        assert f"\n  {words[-1]}:\n" in COMPOSE
    elif "-m" in words:
        _builder(["python", *words[words.index("-m") :]])


def _streamlit(words: list[str]) -> None:
    assert words[1:] == ["run", "app.py"]
    assert (ROOT / words[2]).is_file()


def _example(words: list[str]) -> None:
    assert (ROOT / words[1]).is_file()  # tests/explorer/test_api.py runs it


# Nothing of ours is in these.
OTHERS = ("hf auth login", "mkdir -p", "git clone", "apt-get install", "ray start")
KINDS: dict[str, Callable[[list[str]], None]] = {
    r"\S*python -m index_builder \w.*": _builder,
    r"\S*python -m (benchmarks|index_builder\.demo)\b.*": _module,
    r"\S*python docs/examples/\S+.*": _example,
    r"make\b.*": _make,
    r"docker .*": _docker,
    r"\S*streamlit run .*": _streamlit,
}


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{page}:{line[:60]}" for page, line in COMMANDS])
def test_what_a_command_calls_exists(page: str, line: str) -> None:
    variables, words = words_of(line)
    sources = [path.read_text() for folder in ("explorer", "index_builder") for path in (ROOT / folder).rglob("*.py")]
    for name in variables.keys() - {"RAY_ADDRESS"}:
        assert f"${{{name}" in COMPOSE or any(f'"{name}"' in source for source in sources), name
    said = shlex.join(words).replace("'", "").removeprefix(".venv/bin/")
    if said.startswith(OTHERS):
        return
    kind = next((check for pattern, check in KINDS.items() if re.fullmatch(pattern, said)), None)
    assert kind, f"{page}: no test knows what to do with: {line}"
    kind(words)


def test_programs_are_those_that_setup_installs() -> None:
    """A page may be the first that somebody reads: with the system's Python nothing of it runs."""
    ours = re.compile(r"(python|streamlit|hf|ray|pip)\d?$")
    first = {line: words_of(line)[1][0] for _, line in COMMANDS}
    assert sum(word.startswith(".venv/bin/") for word in first.values()) > 30
    assert not [line for line, word in first.items() if ours.match(word)]


def test_a_command_that_is_wrong_is_seen() -> None:
    for line in ("python -m index_builder build --pictures x", "make demos", "docker build --build-arg GPU=1 ."):
        with pytest.raises(AssertionError):
            test_what_a_command_calls_exists("page", line)


def test_the_quick_start_runs(tmp_path: Path) -> None:
    """As it stands there, with a folder of twelve pictures, in a place of its own; training is cut short."""
    make_folder(tmp_path / "pictures", 24)
    lines = [line for line in commands(ROOT / "docs" / "quick-start.md") if "-m index_builder" in line]
    assert len(lines) == 5
    order = {"build": 0, "info": 1, "verify": 1, "train-sae": 2}
    lines.sort(key=lambda line: 3 if "saes/mine" in line and " build " in line else order[line.split()[3]])
    for line in lines:
        words = shlex.split(line.replace("~/pictures", str(tmp_path / "pictures")))
        words = [str(tmp_path / word) if word.startswith(("stores/", "saes/")) else word for word in words]
        short = ["--steps", "20"] if "train-sae" in words else []
        assert main([*words[3:], *short]) == 0, line
    assert (tmp_path / "stores" / "mine-2" / "manifest.json").is_file()
