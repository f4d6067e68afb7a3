"""`python -m index_builder`: build, recode, verify, info, train-sae, push, pull.

Exit 0 good, 2 bad usage or bad input, 1 anything else. Each command imports what it needs when it runs: help, a
mistyped option and `info` should not wait ten seconds for PyTorch and timm.
"""

from __future__ import annotations

import dataclasses
import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from index_builder.commands import InfoCommand, PullCommand, PushCommand, RecodeCommand, TrainCommand, VerifyCommand
from index_builder.config import BuildConfig
from sae_core.allocator import keep_freed_memory
from sae_core.errors import BuildError, SparsightError, first_line, printable
from sae_core.openmp import waiting_threads_sleep

log = logging.getLogger("sparsight")
DEBUG_VARIABLE = "SPARSIGHT_DEBUG"
_SMALLER = " A smaller --batch-size takes less."
_FULL = "; make room, and the same command goes on where this one stopped"

Command = (
    Annotated[BuildConfig, tyro.conf.subcommand("build")]
    | Annotated[RecodeCommand, tyro.conf.subcommand("recode")]
    | Annotated[VerifyCommand, tyro.conf.subcommand("verify")]
    | Annotated[InfoCommand, tyro.conf.subcommand("info")]
    | Annotated[TrainCommand, tyro.conf.subcommand("train-sae")]
    | Annotated[PushCommand, tyro.conf.subcommand("push")]
    | Annotated[PullCommand, tyro.conf.subcommand("pull")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    log.setLevel(logging.INFO)
    keep_freed_memory()
    waiting_threads_sleep()
    try:
        # Config dataclasses check their own fields, so reading the arguments can raise our errors too.
        _once(sys.argv[1:] if arguments is None else arguments)
        command = tyro.cli(Command, prog="python -m index_builder", args=arguments, config=(tyro.conf.OmitArgPrefixes,))
        return _ACTIONS[type(command)](_at_home(command))
    except SparsightError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same command again to resume", file=sys.stderr)
        return 1
    except OSError as error:
        name = error.filename2 or error.filename  # of a copy the second is what could not be written
        where, way = f": {name}" if name else "", _FULL if error.errno == errno.ENOSPC else ""
        print(f"error: {error.strerror or error}{where}{way}", file=sys.stderr)
        return 1
    except Exception as error:  # a defect of ours, or of the machine (a full disk under FAISS, CUDA out of memory)
        if DEBUG_VARIABLE in os.environ:
            raise
        said = first_line(error)
        said += _SMALLER if type(error).__name__ == "OutOfMemoryError" else ""  # PyTorch's, which is not imported here
        print(f"error: {said} ({DEBUG_VARIABLE}=1 shows where; a build can be resumed)", file=sys.stderr)
        return 1


def _once(arguments: Sequence[str]) -> None:
    """Raises BuildError where an option is given twice: of two folders the first would be forgotten without a word."""
    names = [argument.partition("=")[0] for argument in arguments if argument.startswith("--")]
    for name in names:
        if names.count(name) > 1:
            raise BuildError(f"{name} is given twice")


def _at_home(command: Any) -> Any:
    """The command with `~` in its paths read as a shell does, which leaves the one in `--out=~/store` as it is.

    An `--out` that names no folder, `.` or `..`, becomes that folder's own path: what is written there has its name.
    """
    given = {field.name: getattr(command, field.name) for field in dataclasses.fields(command)}
    paths = {name: value.expanduser() for name, value in given.items() if isinstance(value, Path)}
    if "out" in paths and paths["out"].name in ("", ".."):
        paths["out"] = Path(os.path.abspath(paths["out"]))  # noqa: PTH100 - links stay links
    return dataclasses.replace(command, **paths)


def _build(config: BuildConfig) -> int:
    from index_builder.existing import check_out
    from index_builder.sources import open_source
    from sae_core.store.checks import read_manifest

    check_out(config.out)
    if config.reuse is not None:
        read_manifest(config.reuse)
    source = open_source(*config.images)  # first, as those: what is wrong with them should not wait for PyTorch

    from index_builder.build import build
    from index_builder.outcome import outcome

    manifest = build(config, source=source)
    print(outcome(config.out, manifest))
    return 0


def _recode(command: RecodeCommand) -> int:
    from index_builder.outcome import doubts, way_to_look
    from index_builder.recode import recode

    manifest = recode(command)
    said = f"{command.out}: {manifest.n_images:,} images of {command.store}, {manifest.n_latents:,} latents"
    print("\n".join([said, *doubts(command.out, manifest), way_to_look(command.out)]))
    return 0


def _verify(command: VerifyCommand) -> int:
    from index_builder.verify import defects_of

    defects = defects_of(command.store)
    for defect in defects:
        print(defect)
    n = len(defects)
    print(f"{command.store}: sound" if n == 0 else f"{command.store}: {n} {'defect' if n == 1 else 'defects'}")
    return 2 if defects else 0


def _info(command: InfoCommand) -> int:
    from sae_core.store.checks import read_manifest

    manifest = read_manifest(command.store)
    if command.json:
        print(manifest.model_dump_json(indent=2))
        return 0
    card = manifest.report
    print(f"{manifest.name}: {manifest.n_images:,} images of {manifest.source.name} ({manifest.n_rejected:,} rejected)")
    print(f"encoder {manifest.encoder.name} ({manifest.encoder.model}), SAE {manifest.sae.ref}")
    print(f"{manifest.n_latents:,} latents, k {manifest.k}, {card.n_dead:,} dead, L0 {card.l0:.2f}")
    untrained = ", ".join(f"as many {name} {fvu:.3f}" for name, fvu in card.untrained.items())
    beside = f" ({untrained})" if untrained else ""
    print(f"cosine {card.cosine:.3f} (random pairs {card.random_pair_cosine:.3f}), FVU {card.fvu:.3f}{beside}")
    if card.nearest_recall is not None:
        print(f"the index finds {100 * card.nearest_recall:.1f} % of the ten nearest images")
    return 0


def _train(command: TrainCommand) -> int:
    from index_builder.train import run

    run(command)
    print(f"{command.out}: SAE with {command.latents:,} latents, k {command.k}")
    return 0


def _push(command: PushCommand) -> int:
    from index_builder.hub.push import push

    print(push(command))
    return 0


def _pull(command: PullCommand) -> int:
    from index_builder.hub.pull import pull

    manifest = pull(command)
    print(f"{command.out}: {manifest.name}, {manifest.n_images:,} images, {manifest.n_latents:,} latents")
    return 0


_ACTIONS: dict[type, Callable[..., int]] = {
    BuildConfig: _build,
    RecodeCommand: _recode,
    VerifyCommand: _verify,
    InfoCommand: _info,
    TrainCommand: _train,
    PushCommand: _push,
    PullCommand: _pull,
}
