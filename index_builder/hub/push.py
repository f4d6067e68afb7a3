"""A store to the hub: one commit, of what has changed."""

from __future__ import annotations

import logging
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from index_builder.commands import PushCommand
from index_builder.hub.card import make_card
from index_builder.hub.places import KIND, HubError, Place, read_place, said_plainly
from index_builder.verify import defects_of
from sae_core.references import local_path
from sae_core.store import layout
from sae_core.store.checks import read_manifest

log = logging.getLogger("sparsight")
CARD = "README.md"
_OWN = "give them a copy, which they name with SPARSIGHT_ENCODER, or build with an encoder of the hub"


def push(command: PushCommand) -> str:
    """Uploads what has changed and returns the commit's address. Raises HubError or StoreError.

    All files become visible at once, in one commit: who pulls meanwhile gets the old store or the new one. Large files
    go up before it; those that are on the hub already are not sent again, so an interrupted push goes on.
    """
    place = read_place(command.repo, command.revision)
    operations = _additions(command.store, place, command.license)
    api = HfApi()
    with said_plainly(place):
        api.create_repo(place.repo, repo_type=KIND, private=not command.public, exist_ok=True)
        if place.revision:
            api.create_branch(place.repo, branch=place.revision, repo_type=KIND, exist_ok=True)
        head = api.dataset_info(place.repo, revision=place.revision)
        there = {file.rfilename for file in head.siblings or ()}
        gone = sorted((there & {*layout.REQUIRED, *layout.OPTIONAL}) - {add.path_in_repo for add in operations})
        done = api.create_commit(
            place.repo,
            [*operations, *(CommitOperationDelete(name) for name in gone)],
            commit_message=command.message,
            repo_type=KIND,
            revision=place.revision,
            parent_commit=head.sha,
        )
    return str(done.commit_url)


def _additions(store: Path, place: Place, license_id: str | None) -> list[CommitOperationAdd]:
    """What the manifest lists, the manifest and the card: nothing else that lies in the folder, and nothing beside."""
    log.info("verifying %s", store)
    manifest = read_manifest(store)
    if defects := defects_of(store):
        raise HubError(f"{store} is not pushed, it has {len(defects)} defects: {'; '.join(defects[:3])}")
    if path := local_path(manifest.encoder.ref):
        log.warning(
            "the encoder is %s of this machine, which the manifest names and others do not have: %s", path, _OWN
        )
    card = make_card(manifest, place.repo, license_id).encode()
    return [
        *(CommitOperationAdd(name, store / name) for name in (*manifest.files, layout.MANIFEST)),
        CommitOperationAdd(CARD, card),
    ]
