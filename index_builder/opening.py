"""`python -m index_builder.opening STORE`: opens a store as the app will. Exit 0, or 2 with one sentence."""

from __future__ import annotations

import sys
from pathlib import Path

from sae_core.errors import StoreError
from sae_core.store import LatentStore


def main(path: Path) -> int:
    """The exit code."""
    try:
        store = LatentStore.open(path)
    except StoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: the store at {path} cannot be read: {error.strerror}: {error.filename}", file=sys.stderr)
        return 2
    print(f"{path}: {store.manifest.name}, {store.manifest.n_images:,} images, {store.manifest.n_latents:,} latents")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
