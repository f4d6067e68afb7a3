"""The container's entry point: finds the store, fetches it if it lies on the hub, and serves it.

`STORE` (or `SPARSIGHT_STORE`) is a folder, or `hf://org/name[@revision]`. This process imports only the standard
library and stays the first of the container: a stop reaches whichever step is running, also one that is not yet ready
to take signals.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

STORE_VARIABLES = ("STORE", "SPARSIGHT_STORE")
DATA_VARIABLE = "SPARSIGHT_DATA"
REFERENCE = re.compile(r"hf://(?P<repo>\w[\w.-]*/\w[\w.-]*)(?:@(?P<revision>[\w.][\w./-]*))?", re.ASCII)
SECONDS_TO_STOP = 8  # Docker kills after 10
BAD_INPUT = 2


class ServeError(Exception):
    """Why nothing can be served, in one sentence with the way out."""


@dataclass(frozen=True)
class Commands:
    """The steps, each a process of its own."""

    pull: Sequence[str] = (sys.executable, "-m", "index_builder", "pull")
    check: Sequence[str] = (sys.executable, "-m", "index_builder.opening")
    app: Sequence[str] = (sys.executable, "-m", "streamlit", "run", "app.py")


@dataclass(frozen=True)
class Reference:
    """A store on the hub."""

    repo: str
    revision: str | None

    def folder(self, data: Path) -> Path:
        """Where it is pulled to: one folder a repository and revision."""
        named = self.repo if self.revision is None else f"{self.repo}@{self.revision}"
        return data / "stores" / named.replace("/", "--")


class Steps:
    """Runs one process after another, and passes a stop on to the one that runs."""

    def __init__(self) -> None:
        self.stopping = False
        self._child: subprocess.Popen[bytes] | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGALRM, self._kill)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """The step's exit code; 0 where a stop was asked for."""
        if self.stopping:
            return 0
        # A group of its own: Ctrl-C reaches it through `_stop`, once.
        self._child = subprocess.Popen(command, env=environment, process_group=0)
        if self.stopping:  # between the two lines above
            self._child.terminate()
        code = self._child.wait()
        return 0 if self.stopping else code

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if not self.stopping:
            self.stopping = True
            signal.alarm(SECONDS_TO_STOP)
        if self._child is not None:
            self._child.terminate()

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        if self._child is not None:
            self._child.kill()


def main(arguments: Sequence[str], commands: Commands | None = None) -> int:
    """Serves until it is stopped; `arguments` go to Streamlit. Returns the exit code: 2 where the store is at fault."""
    commands = commands or Commands()
    steps = Steps()
    environment = dict(os.environ)
    try:
        store = _store(environment, commands, steps)
    except ServeError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return BAD_INPUT
    environment["SPARSIGHT_STORE"] = str(store)
    environment.pop("STORE", None)
    code = steps.run([*commands.check, str(store)], environment)
    if code != 0 or steps.stopping:
        return code
    return steps.run([*commands.app, *arguments], environment)


def parse(said: str) -> Reference | Path:
    """A reference to the hub or a folder. Raises ServeError for an address of another form."""
    if "://" not in said and not said.startswith("hf:"):
        return Path(said).expanduser()
    match = REFERENCE.fullmatch(said)
    if match is None or ".." in said:
        raise ServeError(f"STORE={said} is no store: give a folder, or hf://ORG/NAME or hf://ORG/NAME@REVISION")
    return Reference(match["repo"], match["revision"])


def _store(environment: Mapping[str, str], commands: Commands, steps: Steps) -> Path:
    said = next((environment[name] for name in STORE_VARIABLES if environment.get(name)), "/store")
    place = parse(said)
    if isinstance(place, Path):
        return _folder(place)
    return _pulled(place, environment, commands, steps)


def _folder(path: Path) -> Path:
    """The folder, which somebody must have mounted. Raises ServeError."""
    ways = "mount one (-v FOLDER:/store:ro) or set STORE to a folder or to hf://ORG/NAME"
    if not path.is_dir():
        raise ServeError(f"there is no store at {path}: {ways}")
    try:
        if next(path.iterdir(), None) is None:
            raise ServeError(f"the store's folder {path} is empty: {ways}")
    except PermissionError as error:
        raise ServeError(f"the store's folder {path} cannot be read by user {os.getuid()}: chmod -R a+rX it") from error
    return path


def _pulled(reference: Reference, environment: Mapping[str, str], commands: Commands, steps: Steps) -> Path:
    """The folder it was pulled to. A hub that cannot be reached does not stop a store that is there already."""
    data = Path(environment.get(DATA_VARIABLE) or "/data")
    if not os.access(data, os.W_OK):
        raise ServeError(
            f"{data} cannot be written by user {os.getuid()}, so nothing can be pulled: mount a volume there"
        )
    folder = reference.folder(data)
    folder.parent.mkdir(parents=True, exist_ok=True)
    revision = [] if reference.revision is None else ["--revision", reference.revision]
    code = steps.run([*commands.pull, reference.repo, *revision, "--replace", "--out", str(folder)], environment)
    if code != 0 and not (folder / "manifest.json").is_file():
        raise ServeError(f"hf://{reference.repo} could not be pulled; the lines above say why")
    if code != 0:
        print(f"hf://{reference.repo} could not be pulled; serving the copy in {folder}", file=sys.stderr, flush=True)
    return folder


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
