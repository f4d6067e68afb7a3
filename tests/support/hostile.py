"""A store whose every text tries to leave its attribute or element, and does something if it gets out."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from tests.support.pictures import encoded, picture
from tests.support.stores import make_store

HOSTILE = "\"><img src=x onerror=alert(1)><script>alert(2)</script>' style='position:fixed"


def make_hostile_store(root: Path, n: int = 40) -> Path:
    """Labels, captions, file names and the store's own name; `root` is an empty folder."""
    with tarfile.open(root / "pictures.tar", "w") as tar:
        for number in range(n):
            facts = {"label": f"{HOSTILE} {number % 2}", "caption": f"{HOSTILE} {number}", "split": HOSTILE}
            for extension, data in (("png", encoded(picture(number)[1])), ("json", json.dumps(facts).encode())):
                info = tarfile.TarInfo(f"{HOSTILE}/{number:05d}.{extension}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return make_store(root / "store", n_latents=48, k=4, name=HOSTILE, images=root / "pictures.tar")
