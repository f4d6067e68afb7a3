"""Photographs to try an upload with: public-domain and CC0 pictures that ship inside scikit-image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from index_builder.demo.packages import PHOTOS

_SIDE = 640  # pixels, of the short side at most


@dataclass(frozen=True)
class Photograph:
    """One photograph, with what scikit-image's own documentation says of its rights."""

    name: str  # of the file in the package
    title: str
    license: str


PHOTOGRAPHS = (
    Photograph("astronaut.png", "Eileen Collins, by NASA", "Public domain (no known copyright restrictions)"),
    Photograph("camera.png", "A photographer, by Lav Varshney", "CC0"),
    Photograph("chelsea.png", "Chelsea the cat, by Stefan van der Walt", "CC0"),
    Photograph("coffee.png", "A cup of coffee, by Rachel Michetti", "CC0"),
    Photograph("hubble_deep_field.jpg", "Hubble eXtreme Deep Field, by NASA", "Public domain"),
    Photograph("rocket.jpg", "Launch of DSCOVR on Falcon 9, by SpaceX", "Public domain"),
)


def photograph_path(scratch: Path, photograph: Photograph) -> Path:
    """Where the package holds it."""
    return PHOTOS.folder(scratch) / "skimage" / "data" / photograph.name


def write_uploads(scratch: Path, out: Path) -> list[Path]:
    """Writes the photographs as JPEG."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for photograph in PHOTOGRAPHS:
        picture = Image.open(photograph_path(scratch, photograph)).convert("RGB")
        scale = min(1.0, _SIDE / min(picture.size))
        picture = picture.resize(
            (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS
        )
        paths.append(out / f"{Path(photograph.name).stem}.jpg")
        picture.save(paths[-1], quality=85)
    return paths
