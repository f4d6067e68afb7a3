"""Home: what this store is, what its SAE is worth, and a few latents to begin with."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.directions import isolated
from explorer.stores import IMAGES_VARIABLE
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
    copy_warning: str | None  # where the viewer's own copy of the pictures seems to be another folder
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
        copy_warning=_copy_warning(store),
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
    return tuple(tile for tile in tiles(store, _spread_ids(store, n)) if not tile.hidden)


def _spread_ids(store: LatentStore, n: int) -> list[int]:
    n = min(n, store.n_images)
    return [i * store.n_images // n for i in range(n)]


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


def _copy_warning(store: LatentStore) -> str | None:
    """Not of a copy that lacks a few: the first picture that it has is enough, so a right folder is hardly read."""
    ids = [image_id for image_id in _spread_ids(store, N_PICTURES) if not store.is_hidden(image_id)]
    if not ids or any(store.has_original(image_id) is not False for image_id in ids):
        return None
    return (
        f"Where {IMAGES_VARIABLE} points there is none of {plural(len(ids), 'picture')} from all over this store, as "
        f"they were indexed. One of them is “{isolated(store.image(ids[0]).source_key)}”: name the folder that holds "
        "it, or unset the variable."
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
