"""Runs the image on a machine without a container engine, as hard as compose.yaml asks for.

The root file system is mounted read-only in name spaces of its own, /tmp is memory, the image's user has no
capabilities and can gain none, and the entry point is process 1. The network is this machine's.
"""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from container.build import buildah

SECONDS_TO_ANSWER = 240
_DEVICES = ("null", "zero", "full", "random", "urandom")


@dataclass(frozen=True)
class Running:
    """A container whose entry point has been started."""

    process: subprocess.Popen[str]
    address: str

    def answers(self) -> bool:
        """Whether the app is healthy."""
        with suppress(OSError), urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    def wait_until_it_answers(self) -> None:
        """Raises RuntimeError where it does not."""
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the app did not answer")
            time.sleep(0.1)

    def stop(self, seconds: float) -> int:
        """Sends the stop signal to process 1 as `docker stop` does. The exit code; raises TimeoutExpired."""
        self._tell(signal.SIGTERM)
        return self.process.wait(seconds)

    def end(self) -> None:
        """Leaves nothing of it running. Changing its user has made process 1 forget to die with its parent."""
        with suppress(OSError, IndexError, subprocess.CalledProcessError):  # it has ended, or not begun
            self._tell(signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def _tell(self, what: signal.Signals) -> None:
        first = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0]
        subprocess.run(["kill", f"-{what.value}", first], check=True)


def image_config(data: Path, image: str) -> dict[str, Any]:
    """The image's own settings: user, entry point, health check and the rest."""
    said = json.loads(buildah(data, "inspect", "--type", "image", image, capture=True))
    return dict(said["Docker"]["config"])


@contextmanager
def running(
    data: Path,
    image: str,
    *,
    mounts: Mapping[str, Path],
    writable: Path,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] | None = None,
) -> Iterator[Running]:
    """Starts the image with `mounts` (place in the container -> folder) read-only and `writable` at /data.

    `command` takes the place of entry point and arguments. Output comes through the process's stdout, errors with it.
    """
    config = image_config(data, image)
    port = _free_port()
    container = buildah(data, "from", "--pull-never", image, capture=True)
    try:
        root = Path(buildah(data, "mount", container, capture=True))
        for place in mounts:
            (root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
        arguments = [*config["Entrypoint"], f"--server.port={port}", "--server.address=127.0.0.1"]
        settings = [*config["Env"], *(f"{name}={value}" for name, value in (environment or {}).items())]
        inside = _as_user(root, config, settings, command or arguments)
        script = "\n".join([*_mount_commands(root, mounts, writable), f"exec {shlex.join(inside)}"])
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        app = Running(process, f"http://127.0.0.1:{port}")
        try:
            yield app
        finally:
            app.end()
    finally:
        buildah(data, "rm", container, capture=True)


def _mount_commands(root: Path, mounts: Mapping[str, Path], writable: Path) -> list[str]:
    def at(place: str) -> str:
        return shlex.quote(str(root / place.lstrip("/")))

    commands = [f"mount --bind {at('/')} {at('/')}", f"mount -t tmpfs -o mode=0755,size=64k,nosuid dev {at('/dev')}"]
    for name in _DEVICES:
        commands.append(f"touch {at(f'/dev/{name}')}; mount --bind /dev/{name} {at(f'/dev/{name}')}")
    commands.append(
        f"mkdir -m 1777 {at('/dev/shm')}; mount -t tmpfs -o mode=1777,size=64m,nosuid,nodev shm {at('/dev/shm')}"
    )
    commands += [f"mount -o remount,ro,bind {at('/')}", f"mount -t proc -o nosuid,nodev,noexec proc {at('/proc')}"]
    commands.append(f"mount -t tmpfs -o mode=1777,size=1g,nosuid,nodev,noexec tmp {at('/tmp')}")
    commands.append(f"mount --bind {shlex.quote(str(writable))} {at('/data')}")
    for place, folder in mounts.items():
        commands.append(f"mount --bind {shlex.quote(str(folder))} {at(place)}; mount -o remount,ro,bind {at(place)}")
    return commands


def _as_user(root: Path, config: Mapping[str, Any], settings: Sequence[str], command: Sequence[str]) -> list[str]:
    user, _, group = str(config["User"]).partition(":")
    rights = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--clear-groups"]
    drop = ["/usr/bin/setpriv", *rights, f"--reuid={user}", f"--regid={group or user}"]
    return ["chroot", str(root), *drop, "/usr/bin/env", "-i", f"--chdir={config['WorkingDir']}", *settings, *command]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
