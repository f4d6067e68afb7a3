"""What a finished build says: what became of the inputs, where the rejected ones are named, and what to do next."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from sae_core.errors import printable
from sae_core.store import layout
from sae_core.store.manifest import Manifest

_SHOWN = 3  # rejected inputs that are named


def outcome(store: Path, manifest: Manifest) -> str:
    """Lines for a person."""
    said = f"{manifest.n_images:,} images, {manifest.n_rejected:,} rejected, {manifest.n_latents:,} latents"
    lines = [f"{store}: {said}", *(_rejected(store) if manifest.n_rejected else ()), *doubts(store, manifest)]
    return "\n".join([*lines, way_to_look(store)])


def way_to_look(store: Path) -> str:
    """The command that shows a store, in a line."""
    return f"to look at it: SPARSIGHT_STORE={shlex.quote(str(store))} {shlex.quote(_streamlit())} run app.py"


def doubts(store: Path, manifest: Manifest) -> list[str]:
    """Where the SAE reconstructs no better than chance: that it does, and the way out. One line or none."""
    report = manifest.report
    if not report.no_better_than_random:
        return []
    return [
        f"WARNING: the SAE leaves an FVU of {report.fvu:.3f}, no less than {manifest.n_latents:,} random directions do "
        f"({report.random_fvu:.3f}): it fits these pictures no better than chance. Check that --encoder is "
        f"the model it was trained on, or train one here (train-sae --embeddings {shlex.quote(str(store))}) "
        f"and take it with recode --sae"
    ]


def _streamlit() -> str:
    """As this shell finds it: by its name, or beside the running Python, `.venv/bin/streamlit` where that is below."""
    ours = Path(sys.executable).parent / "streamlit"
    found = shutil.which("streamlit")
    if not ours.exists() or (found is not None and Path(found) == ours):
        return "streamlit"
    try:
        return str(ours.relative_to(Path.cwd()))
    except (ValueError, FileNotFoundError):  # not below; or `--out .` has just replaced the folder that one is in
        return str(ours)


def _rejected(store: Path) -> list[str]:
    """Counts by error, the first few with their reasons, and the file that names all."""
    path = store / layout.REJECTS
    table = pq.read_table(path, columns=["source_key", "error", "message"])
    counts = Counter(table["error"].to_pylist()).most_common()
    first = table.slice(0, _SHOWN).to_pylist()
    more = [f"  … all of them: {path}"] if table.num_rows > _SHOWN else []
    return [
        *(f"  rejected {n:,}: {error}" for error, n in counts),
        *(printable(f"  {row['source_key']}: {row['message']}") for row in first),
        *more,
    ]
