"""Data sets on the hub, `hf://ORG/NAME[@REVISION][/PATTERN]`: their Parquet files, read where they lie.

Nothing is stored on the way: footers are read first, then the row groups that are asked for, by byte ranges.
"""

from __future__ import annotations

from fnmatch import fnmatch

from huggingface_hub import HfApi, HfFileSystem
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.hf_file_system import HfFileSystemResolvedRepositoryPath

from index_builder.hub.places import KIND, Place, said_plainly
from index_builder.sources.opening import HUB_PREFIX
from index_builder.sources.parquet import ParquetSource
from sae_core.errors import SourceError


def open_hub(images: str) -> ParquetSource:
    """Lists a data set at the commit that its branch has now. Raises SourceError or HubError in one sentence."""
    said = images.removeprefix(HUB_PREFIX).removeprefix("datasets/").strip("/")
    if len(said.split("/")) < 2:
        raise SourceError(f"{images} names no data set: write hf://ORG/NAME, and /FOLDER or /PATTERN for a part of it")
    with said_plainly(Place("/".join(said.split("/")[:2]))):
        files = HfFileSystem()
        try:
            place = files.resolve_path(f"datasets/{said}")
        except FileNotFoundError as error:  # the file system's wrapping of what the hub said
            raise error.__cause__ or error from None
        if not isinstance(place, HfFileSystemResolvedRepositoryPath):
            raise SourceError(f"{images} is no data set")
        commit = HfApi().dataset_info(place.repo_id, revision=place.revision).sha
        found = HfApi().list_repo_tree(place.repo_id, recursive=True, revision=commit, repo_type=KIND)
        listed = sorted((file.path, file.blob_id) for file in found if isinstance(file, RepoFile))
        kept = [(path, oid) for path, oid in listed if path.endswith(".parquet") and _within(path, place.path_in_repo)]
        if not kept:
            raise SourceError(_nothing(images, place.repo_id, [path for path, _ in listed]))
        root = f"datasets/{place.repo_id}@{commit}"
        return ParquetSource.of([(f"{root}/{path}", path, oid) for path, oid in kept], place.repo_id, files)


def _within(path: str, part: str) -> bool:
    """A folder, a file or a pattern; all where nothing is named."""
    return not part or path == part or path.startswith(f"{part}/") or fnmatch(path, part)


def _nothing(images: str, repo: str, held: list[str]) -> str:
    other = sorted({path.rpartition(".")[2] for path in held if "." in path})[:5]
    said = f"{images} holds no Parquet files there, only: {', '.join(other) or 'nothing'}"
    return f"{said}; the hub's own conversion may be at hf://{repo}@refs/convert/parquet, or download it and name it"
