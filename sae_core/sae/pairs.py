"""Pairs of files that an SAE comes in, a configuration and tensors: in a folder, or in a repository of the hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
)
from torch import Tensor

from sae_core.errors import CheckpointError, first_line
from sae_core.hub_calls import one_line_of_retries
from sae_core.references import PRESETS
from sae_core.sae.formats import Parts, own, saelens

Read = Callable[[Mapping[str, Any], Mapping[str, Tensor], int | None, str], Parts]

# The files, and who reads them.
PAIRS: tuple[tuple[str, str, Read], ...] = (
    (own.CONFIG_FILE, own.WEIGHTS_FILE, own.read),
    (saelens.CONFIG_FILE, saelens.WEIGHTS_FILE, saelens.read),
)
READS = (
    f"we read a preset ({', '.join(PRESETS)}), a folder or hub repository with {own.CONFIG_FILE} and "
    f"{own.WEIGHTS_FILE} or SAELens' {saelens.CONFIG_FILE} and {saelens.WEIGHTS_FILE}, the authors' .pt, and state "
    "dicts of overcomplete and MSAE"
)


def fetch(reference: str) -> tuple[Path, Path, Read]:
    """Both files of `ORG/NAME` or `hf://ORG/NAME/FOLDER`, downloaded or from the cache, and who reads them.

    Raises CheckpointError in one sentence.
    """
    repository, folder = reference.removeprefix("hf-hub:"), None
    if reference.startswith("hf://"):  # a folder inside is asked for by this prefix alone: a path may be a typing error
        parts = reference.removeprefix("hf://").split("/")
        repository, folder = "/".join(parts[:2]), "/".join(parts[2:]) or None
    if "/" not in repository:  # the hub client would look for it, for a minute where there is no network
        raise CheckpointError(f"there is no file and no folder {reference}, and a hub id is ORG/NAME; {READS}")
    try:
        with one_line_of_retries():
            return _pair(repository, folder)
    except HFValidationError as error:
        raise CheckpointError(f"{reference} is no file, no folder and no hub id; {READS}") from error
    except GatedRepoError as error:
        raise CheckpointError(f"{repository} is gated: accept its terms, then `hf auth login`") from error
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"{repository} is no folder here, it is not cached, and the hub cannot be reached"
        ) from error
    except HfHubHTTPError as error:
        raise CheckpointError(f"the hub has no SAE at {repository}: {first_line(error)}; {READS}") from error


def _pair(repository: str, folder: str | None) -> tuple[Path, Path, Read]:
    """The first pair that the repository, or what is cached of it, has.

    The client tries for twenty seconds to reach a hub for a file that is not cached. So where one is cached it is asked
    for first, and where there was no hub for the first pair, there is none for the second.
    """
    missing: list[Exception] = []
    for config, weights, read in sorted(PAIRS, key=lambda pair: not _cached(repository, folder, pair[0])):
        alone = any(isinstance(error, LocalEntryNotFoundError) for error in missing)
        try:
            paths = [
                Path(hf_hub_download(repository, name, subfolder=folder, local_files_only=alone))
                for name in (config, weights)
            ]
        except (RemoteEntryNotFoundError, LocalEntryNotFoundError) as error:
            missing.append(error)
        else:
            return paths[0], paths[1], read
    raise missing[0]


def _cached(repository: str, folder: str | None, name: str) -> bool:
    return isinstance(try_to_load_from_cache(repository, f"{folder}/{name}" if folder else name), str)
