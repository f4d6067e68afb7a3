"""Home: what this store is, what its SAE is worth, and a few latents to begin with."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.views.parts import LatentCard, latent_card
from explorer.views.report_card import Figure, reconstruction_warning, report_figures
from explorer.views.striking import rule_sentence, striking
from explorer.views.tiles import Tile, tiles
from explorer.wording import count, figure, plural
from sae_core import LatentStore, __version__

N_STRIKING = 12
N_PICTURES = 8
N_FIGURES = 4
_MAX_FVU = 0.75  # the builder warns from the same figure on


@dataclass(frozen=True)
class Home:
    """The home page of a store."""

    title: str
    sentence: str
    encoder: str
    sae: str
    figures: tuple[Figure, ...]  # the first of the report card
    warning: str | None  # where the figures say that these parts do not belong together
    striking: tuple[LatentCard, ...]
    striking_rule: str
    pictures: tuple[Tile, ...]
    citation: str


def build_home(store: LatentStore) -> Home:
    """Everything the home page says."""
    manifest = store.manifest
    return Home(
        title=manifest.name,
        sentence=_sentence(store),
        encoder=f"{manifest.encoder.name} ({manifest.encoder.model}), fingerprint {manifest.encoder.fingerprint[:12]}",
        sae=f"{manifest.sae.ref}, fingerprint {manifest.sae.fingerprint[:12]}",
        figures=report_figures(store)[:N_FIGURES],
        warning=_warning(store),
        striking=tuple(latent_card(store, latent, n_tiles=4) for latent in striking(store.latents, N_STRIKING)),
        striking_rule=f"Chosen by rule: {rule_sentence(store.latents)}; no name and no label twice.",
        pictures=spread(store),
        citation=_citation(store),
    )


def spread(store: LatentStore, n: int = N_PICTURES) -> tuple[Tile, ...]:
    """Pictures from all over the store, the same ones every time."""
    n = min(n, store.n_images)
    found = tiles(store, [i * store.n_images // n for i in range(n)])
    return tuple(tile for tile in found if not tile.hidden)


def _sentence(store: LatentStore) -> str:
    manifest = store.manifest
    rejected = f" ({plural(manifest.n_rejected, 'file')} could not be read)" if manifest.n_rejected else ""
    return (
        f"{plural(manifest.n_images, 'picture')} of “{manifest.source.name}”{rejected}, encoded by "
        f"{manifest.encoder.model} and rewritten by a sparse autoencoder as at most {manifest.k} of "
        f"{plural(manifest.n_latents, 'latent')} each.{withheld(store)}"
    )


def withheld(store: LatentStore) -> str:
    """How much the hide-list takes away, as a sentence; empty where that is nothing."""
    hidden = store.hidden
    counts = ((len(hidden.latents), "latent"), (len(hidden.labels), "label"), (hidden.n_pictures, "picture"))
    said = [plural(n, what) for n, what in counts if n]
    return f" Withheld by those who share it: {', '.join(said)}; the figures count them all the same." if said else ""


def _warning(store: LatentStore) -> str | None:
    fvu = store.manifest.report.fvu
    if fvu <= _MAX_FVU:
        return reconstruction_warning(store)
    return (
        f"FVU is {figure(fvu)}: the SAE leaves most of what CLIP sees unexplained here. Encoder and SAE may not belong "
        "together; read the latents below with care."
    )


def _citation(store: LatentStore) -> str:
    manifest = store.manifest
    return (
        f"Sparsight {__version__}, latent store “{manifest.name}” (version {store.version}): "
        f"{count(manifest.n_images)} images of {manifest.source.name}; "
        f"encoder {manifest.encoder.name} (sha256 {manifest.encoder.fingerprint[:12]}); "
        f"SAE {manifest.sae.ref} (sha256 {manifest.sae.fingerprint[:12]}), "
        f"{count(manifest.n_latents)} latents, k = {manifest.k}."
    )
