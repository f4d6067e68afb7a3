"""No line of the project unpickles: stores, checkpoints and uploads are other people's files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sae_core.references import REPOSITORY_ROOT

_FOLDERS = ("sae_core", "index_builder", "explorer", "pages", "container", "benchmarks")
_FORBIDDEN = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def faults(tree: ast.AST) -> Iterator[str]:
    """What would unpickle, or might."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"import {name.name}" for name in node.names if name.name.split(".")[0] in _FORBIDDEN)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _FORBIDDEN:
            yield f"from {node.module}"
        elif isinstance(node, ast.Call):
            yield from _of_call(node)


def _of_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    said = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name == "torch.load" and said.get("weights_only") != "True":
        yield f"{name} without weights_only=True"
    if (
        name.endswith("read_pickle")
        or said.get("allow_pickle", "False") != "False"
        or said.get("weights_only") == "False"
    ):
        yield ast.unparse(call)[:80]


@pytest.mark.parametrize("folder", _FOLDERS)
def test_nothing_unpickles(folder: str) -> None:
    paths = list((REPOSITORY_ROOT / folder).rglob("*.py"))
    assert paths
    found = {
        str(path): list(faults(ast.parse(path.read_text(encoding="utf-8"))))
        for path in [*paths, Path(REPOSITORY_ROOT / "app.py")]
    }
    assert {path: said for path, said in found.items() if said} == {}


@pytest.mark.parametrize(
    "line",
    ["import pickle", "from joblib import load", "torch.load(p)", "torch.load(p, weights_only=False)",
     "np.load(p, allow_pickle=True)", "pd.read_pickle(p)", "f(weights_only=False)"],
)  # fmt: skip
def test_such_a_line_is_found(line: str) -> None:
    assert list(faults(ast.parse(line)))
