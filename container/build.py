"""Builds the image on a machine without a container engine: `python -m container.build`.

Buildah runs as root, without a daemon and without name spaces (`--isolation chroot`). Where no registry of images can
be reached, the base is made from the Debian mirror that apt is configured with.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("buildah", "debootstrap", "crun")
ROOM = 20_000_000_000  # bytes
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class BuildImage:
    """Build the container image without an engine."""

    tag: str = "sparsight"
    """Name of the image."""
    data: Path = Path("/var/tmp/sparsight-container")
    """Folder for images and layers."""
    accelerator: str = "cpu"
    """cpu or gpu."""
    torch_index: str = ""
    """Index to take PyTorch from."""
    layers: bool = False
    """Keep every step's layer, so that another build goes on from there; takes 15 GB more."""
    store: Path | None = None
    """A store to bake in; the image is then TAG-baked."""
    look: bool = False
    """Only say whether this machine can: exit 0, or 1 with the reason."""


def hindrance(data: Path) -> str:
    """Why no image can be built in this folder, which need not exist; empty where it can."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"not on this machine: {', '.join(missing)} (as root: apt-get install {' '.join(TOOLS)})"
    if os.geteuid() != 0:
        return "building without an engine takes root"
    there = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    return f"{there} has {free / 1e9:.0f} GB free, building takes {ROOM / 1e9:.0f}" if free < ROOM else ""


def buildah(data: Path, *arguments: str, capture: bool = False) -> str:
    """Runs buildah on the images under `data`; returns what it printed if captured. Raises CalledProcessError."""
    places = ["--storage-driver", "overlay", "--root", str(data / "images"), "--runroot", str(data / "run")]
    said = subprocess.run(
        ["buildah", *places, *arguments], check=True, text=True, stdout=subprocess.PIPE if capture else None
    )
    return (said.stdout or "").strip()


def base_name() -> str:
    """The base image that the Dockerfile names."""
    found = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit("the Dockerfile names no base: ARG BASE=…")
    return found[1]


def has_image(data: Path, name: str) -> bool:
    """Whether an image of this name is there."""
    names = buildah(data, "images", "--format", "{{.Name}}:{{.Tag}}", capture=True).split()
    return not {name, f"localhost/{name}:latest"}.isdisjoint(names)


def make_base(data: Path) -> None:
    """A minimal Debian under the base's name, from apt's own mirror, with this machine's certificate authorities."""
    base = base_name()
    if has_image(data, base):
        return
    try:
        buildah(data, "pull", "--quiet", base)
        return
    except subprocess.CalledProcessError:
        print(f"{base} cannot be pulled; making it with debootstrap", flush=True)
    folder = data / "debian"
    if not (folder / "etc" / "debian_version").is_file():
        subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", folder, mirror()], check=True
        )
    shutil.rmtree(folder / "var/cache/apt/archives", ignore_errors=True)
    if CERTIFICATES.is_file():
        shutil.copyfile(CERTIFICATES, folder / "etc/ssl/certs/ca-certificates.crt")
        (folder / "etc/pip.conf").write_text(f"[global]\ncert = {CERTIFICATES}\n")
    container = buildah(data, "from", "scratch", capture=True)
    buildah(data, "add", "--quiet", container, str(folder), "/")
    buildah(data, "commit", "--quiet", "--rm", "--format", "docker", container, base)


def mirror() -> str:
    """The Debian mirror that apt takes bookworm from."""
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)"], check=True, text=True, capture_output=True
    )
    for line in said.stdout.splitlines():
        address, _, codename = line.partition(" ")
        if codename == "bookworm":
            return address
    raise SystemExit("apt knows no mirror for Debian bookworm, so no base can be made")


def build(config: BuildImage) -> None:
    """Builds the base if need be, then the image, then the one with a store in it. Raises CalledProcessError."""
    if reason := hindrance(config.data):
        raise SystemExit(reason)
    if config.look:
        return
    config.data.mkdir(parents=True, exist_ok=True)
    make_base(config.data)
    arguments = {"ACCELERATOR": config.accelerator, "TORCH_INDEX": config.torch_index}
    _bud(config, config.tag, ROOT / "Dockerfile", ROOT, arguments)
    if config.store is not None:
        baked_on = {"IMAGE": f"localhost/{config.tag}:latest"}
        _bud(config, f"{config.tag}-baked", ROOT / "Dockerfile.baked", config.store, baked_on)


def _bud(config: BuildImage, tag: str, file: Path, context: Path, arguments: dict[str, str]) -> None:
    given: Sequence[str] = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    how = ["--isolation", "chroot", "--pull-never", "--force-rm", "--format", "docker"]
    how.append("--layers" if config.layers else "--layers=false")
    buildah(config.data, "bud", *how, *given, "--file", str(file), "--tag", tag, str(context))


if __name__ == "__main__":
    try:
        build(tyro.cli(BuildImage))
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{error.cmd[0]} failed; the lines above say why") from error
