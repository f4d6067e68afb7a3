"""A new store from a published one, by its embeddings: with another SAE, or without pictures. Nothing is encoded anew.

What does not change is linked, not copied, where both stores lie on one disk: published stores are never written to.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from index_builder import progress
from index_builder.analysis import N_STEPS, EncodeTexts, analyse
from index_builder.arrays import new_array
from index_builder.build import text_encoder
from index_builder.commands import RecodeCommand
from index_builder.compatibility import SAMPLE, check_fit
from index_builder.config import resolved_device
from index_builder.existing import Asked, check_out, finished
from index_builder.publish import file_info, publish, sae_info, versions
from index_builder.verify import hash_defects
from index_builder.workdir import WorkDir
from sae_core.encoder.clip import ClipEncoder
from sae_core.errors import BuildError, EncoderError, MismatchError
from sae_core.references import ENCODER_WAY_OUT, encoder_reference
from sae_core.sae.checkpoint import load_sae, sae_fingerprint, save_sae
from sae_core.sae.topk import TopKSAE
from sae_core.store import LatentStore, layout
from sae_core.store.checks import broken
from sae_core.store.manifest import Manifest

_KEPT = (layout.IMAGES, layout.REJECTS, layout.LABELS, layout.IMAGE_LABELS, layout.EMBEDDINGS)
_CODES = (layout.CODE_INDICES, layout.CODE_ACTIVATIONS)
_CELLS = 2**25  # pre-activations in memory together: 128 MiB
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES)


def recode(command: RecodeCommand) -> Manifest:
    """Writes and publishes the new store. Raises SparsightError in one sentence."""
    check_out(command.out)
    if command.out.resolve() == command.store.resolve():
        raise BuildError(f"{command.out} is the old store itself: choose another --out")
    if command.k is not None and command.sae is None:
        raise BuildError("--k goes with --sae: the old store's SAE says its own")
    old = LatentStore.open(command.store)
    sae = load_sae(command.sae, k=command.k) if command.sae else old.sae()
    if sae.config.d_embed != old.manifest.d_embed:
        raise MismatchError(f"the embeddings have {old.manifest.d_embed} numbers, the SAE takes {sae.config.d_embed}")
    asked, work = _asked(command, old, sae), WorkDir(command.out)
    if there := finished(command.out, asked, work):
        return there
    with work.locked():
        if there := finished(command.out, asked, work):  # another one may have published it since
            return there
        work.claim({"recoded from": old.version, "versions": versions(), **vars(asked)})
        return _run(command, old, sae, work)


def _asked(command: RecodeCommand, old: LatentStore, sae: TopKSAE) -> Asked:
    side = 0 if command.thumbnails == "none" else old.manifest.thumbnail_side or 0
    source, encoder = old.manifest.source, old.manifest.encoder
    name = command.name or command.out.name
    return Asked(
        name, side, source.listing_sha256, encoder.fingerprint, encoder.precision, encoder.decoder, sae_fingerprint(sae)
    )


def _run(command: RecodeCommand, old: LatentStore, sae: TopKSAE, work: WorkDir) -> Manifest:
    same = sae_fingerprint(sae) == old.manifest.sae.fingerprint
    read = (*_KEPT, *(_CODES if same else ()))
    if defects := list(hash_defects(old.path, old.manifest, read)):
        raise broken(old.path, defects)
    device = resolved_device(command.device)
    encode_texts = text_encoder(_encoder(old, device))
    root = work.fresh_store()
    linked = [*read, *(layout.PICTURES if command.thumbnails == "same" else ())]
    for name in (name for name in linked if name in old.manifest.files):
        link(old.path / name, root / name)
    if not same:
        _write_codes(root, sae, device)
    save_sae(sae, root / "sae")
    manifest = _described(command, old, sae, root, linked, encode_texts)
    publish(root, manifest, command.out)
    work.remove()
    return manifest


def _encoder(old: LatentStore, device: str) -> ClipEncoder:
    """The old store's, for texts; as in the app, of another machine it may lie elsewhere."""
    try:
        return old.load_encoder(device, encoder_reference())
    except EncoderError as error:
        raise EncoderError(f"{error}; {ENCODER_WAY_OUT}") from error


def _described(
    command: RecodeCommand, old: LatentStore, sae: TopKSAE, root: Path, linked: list[str], encode_texts: EncodeTexts
) -> Manifest:
    """The analysis, and the old manifest with what is new."""
    with progress.analysis(N_STEPS) as step:
        card = analyse(root, sae.to("cpu"), encode_texts, step)
    files = old.manifest.files
    there = [name for name in (*layout.REQUIRED, *layout.OPTIONAL) if (root / name).is_file()]
    changed = {
        "name": command.name or command.out.name,
        "n_latents": sae.config.n_latents,
        "k": sae.config.k,
        "report": card,
        "thumbnail_side": old.manifest.thumbnail_side if layout.THUMBNAILS in there else None,
        "versions": versions(),
        "files": {name: files[name] if name in linked else file_info(root / name) for name in there},
    }
    if command.sae:
        changed["sae"] = sae_info(command.sae, sae)
    return old.manifest.model_copy(update=changed)


def _write_codes(root: Path, sae: TopKSAE, device: str) -> None:
    """Codes of all embeddings, a chunk at a time."""
    x = np.load(root / layout.EMBEDDINGS, mmap_mode="r")
    (root / layout.CODE_INDICES).parent.mkdir()
    indices, activations = (new_array(root / name, layout.DTYPES[name], (len(x), sae.config.k)) for name in _CODES)
    sample = np.unique(np.linspace(0, len(x) - 1, SAMPLE).astype(int))
    sae = sae.to(device)
    if len(sample) > 1:
        check_fit(torch.from_numpy(np.array(x[sample])), sae)
    chunk = max(_CELLS // sae.config.n_latents, 256)
    with progress.bar("codes", len(x)) as bar, torch.no_grad():
        for start in range(0, len(x), chunk):
            rows = slice(start, min(start + chunk, len(x)))
            codes = sae.encode(torch.from_numpy(np.array(x[rows])).to(device))
            indices[rows], activations[rows] = codes.indices.cpu().numpy(), codes.activations.cpu().numpy()
            bar.update(rows.stop - rows.start)


def link(old: Path, new: Path, hard: Callable[[Path, Path], None] = os.link) -> None:
    """The same file under a second name; a copy where the disk cannot do that, or it is another disk."""
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        hard(old, new)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(old, new)
