"""The only door to a store. Everything large is memory-mapped or read with pread; opening reads no data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sae_core.errors import EncoderError, MismatchError
from sae_core.references import ENCODER_VARIABLE, local_path, public_reference
from sae_core.store import checks
from sae_core.store.hidden import HideList, read_hide_list
from sae_core.store.image_words import ImageWords
from sae_core.store.latent_reads import LatentReads
from sae_core.store.originals import Originals

if TYPE_CHECKING:
    from sae_core.encoder.clip import ClipEncoder
    from sae_core.sae.topk import TopKSAE


class LatentStore(LatentReads, ImageWords):
    """A published store, read-only. Image ids are rows of `images.arrow`, latents are 0 … n_latents - 1.

    Asking for a latent or image that does not exist raises IndexError.
    """

    @classmethod
    def open(
        cls, path: str | Path, originals: str | Path | None = None, hide: str | Path | HideList | None = None
    ) -> LatentStore:
        """Opens a store after checking manifest, file sizes and array shapes. Raises StoreError with all defects.

        `originals`: the viewer's own copy of the pictures (a folder, or the tars that were indexed), which stands in
        where the store was shared without them. Raises SourceError where nothing is there.

        `hide`: what is not to be shown (docs/sharing.md), or the file that says so. Raises StoreError where the list
        cannot be read, or names what the store does not have.
        """
        root = Path(path).expanduser()
        manifest = checks.read_manifest(root)
        if defects := checks.quick_defects(root, manifest):
            raise checks.broken(root, defects)
        own = None if originals is None else Originals(Path(originals).expanduser())
        hidden = read_hide_list(Path(hide).expanduser()) if isinstance(hide, str | Path) else hide
        try:
            return cls(root, manifest, own, hidden)
        except (OSError, ValueError) as error:
            raise checks.broken(root, [str(error)]) from error

    def sae(self) -> TopKSAE:
        """The SAE that made the codes, from the store's own copy."""
        from sae_core.sae.checkpoint import load_sae, sae_fingerprint

        sae = load_sae(self.path / "sae")
        if (found := sae_fingerprint(sae)) != self.manifest.sae.fingerprint:
            raise MismatchError(
                f"the store's SAE is {found[:12]}, its codes were made by {self.manifest.sae.fingerprint[:12]}"
            )
        return sae

    def missing_encoder(self, reference: str | None = None) -> str | None:
        """A sentence without its full stop where the encoder, or the place that `reference` names, is a folder or file
        that is not here. None where `load_encoder` may find it: nothing is loaded to know."""
        place = reference or self.manifest.encoder.ref
        path = local_path(place)
        if path is None or path.exists():
            return None
        name = public_reference(place)
        if reference:
            return f"{ENCODER_VARIABLE} says {name}, and there is no such folder or file"
        return f"this store’s encoder, {name}, lay in a folder of the machine that built it and is not here"

    def load_encoder(self, device: str = "cpu", reference: str | None = None) -> ClipEncoder:
        """The encoder that made the embeddings, or the same from another place, where `reference` names one.

        Raises MismatchError where what loads today is another one, EncoderError where it is nowhere to be found.
        """
        from sae_core.encoder.clip import ClipEncoder

        if missing := self.missing_encoder(reference):
            raise EncoderError(missing)
        wanted = self.manifest.encoder
        place = reference or wanted.ref
        encoder = ClipEncoder.load(place, device)
        if encoder.fingerprint != wanted.fingerprint:
            raise MismatchError(
                f"the encoder {public_reference(place)} is not the one this store was built with "
                f"(fingerprint {encoder.fingerprint[:12]}, the store's is {wanted.fingerprint[:12]})"
            )
        return encoder
