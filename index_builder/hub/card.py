"""The data-set card of a store: what it is, its figures, and how it is opened."""

from __future__ import annotations

import re

from huggingface_hub import DatasetCard, DatasetCardData

from sae_core.references import local_path
from sae_core.store import layout
from sae_core.store.manifest import Manifest

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = ((10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"))
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&@^=])")


def make_card(manifest: Manifest, repo: str, license_id: str | None) -> str:
    """The text of README.md. Names come from somebody's folder: none of them is markup in it."""
    size = next((name for most, name in (*_SIZES, *_LARGEST) if manifest.n_images < most), "100M<n<1B")
    data = DatasetCardData(
        license=license_id or "other",
        pretty_name=_one_line(manifest.name),
        tags=["sparsight", "latent-store", "sparse-autoencoder", "clip", "interpretability"],
        size_categories=size,
    )
    return str(DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{_body(manifest, repo, license_id)}"))


def _body(manifest: Manifest, repo: str, license_id: str | None) -> str:
    return "\n".join(
        [
            f"# {plain(manifest.name)}",
            "",
            f"A latent store: {manifest.n_images:,} images of “{plain(manifest.source.name)}” as sparse codes of "
            f"{manifest.n_latents:,} latents, k = {manifest.k}, with the images that activate each latent most.",
            "",
            "```",
            f"python -m index_builder pull {repo} --out stores/{repo.split('/')[1]}",
            f"SPARSIGHT_STORE=stores/{repo.split('/')[1]} streamlit run app.py",
            "```",
            "",
            *_figures(manifest),
            *_encoder(manifest),
            "",
            "## Pictures and licence",
            "",
            _pictures(manifest),
            f"Licence of this repository: {plain(license_id)}."
            if license_id
            else "No licence was named. The pictures stay under the rights of those who made them.",
            "",
        ]
    )


def _figures(manifest: Manifest) -> list[str]:
    report = manifest.report
    untrained = "".join(f"; as many {name}: {fvu:.3f}" for name, fvu in report.untrained.items())
    rows = (
        ("images", f"{manifest.n_images:,} ({manifest.n_rejected:,} could not be read)"),
        ("encoder", f"{plain(manifest.encoder.name)}, {plain(manifest.encoder.model)}"),
        ("encoder's fingerprint", manifest.encoder.fingerprint),
        ("SAE", plain(manifest.sae.ref)),
        ("SAE's fingerprint", manifest.sae.fingerprint),
        ("cosine of the reconstruction", f"{report.cosine:.3f} (another image's: {report.random_pair_cosine:.3f})"),
        ("FVU", f"{report.fvu:.3f} (the mean embedding: 1{untrained})"),
        ("L0", f"{report.l0:.2f} of {manifest.k}"),
        ("dead latents", f"{report.n_dead:,} of {manifest.n_latents:,}"),
        ("monosemanticity", f"{report.monosemanticity:.3f} (two random images: {report.monosemanticity_baseline:.3f})"),
        ("split-half stability", f"{report.split_half:.3f} (different latents: {report.split_half_baseline:.3f})"),
        ("made with", ", ".join(f"{plain(name)} {plain(said)}" for name, said in manifest.versions.items())),
    )
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]


def _encoder(manifest: Manifest) -> list[str]:
    if local_path(manifest.encoder.ref) is None:
        return []
    said = "The encoder is a folder or file of the machine that built the store, and is not part of it: pictures and"
    return ["", f"{said} texts can be encoded where `SPARSIGHT_ENCODER` names a copy of it."]


def _pictures(manifest: Manifest) -> str:
    if layout.THUMBNAILS not in manifest.files:
        return "The store holds no pictures: only codes, embeddings, captions, labels, file names and hashes."
    return (
        f"The store holds a thumbnail of every image, at most {manifest.thumbnail_side} pixels on the longer side, "
        "beside captions, labels, file names and hashes."
    )


def plain(text: str) -> str:
    """A text that Markdown shows as it is, in one line."""
    return _MARKUP.sub(r"\\\1", _one_line(text)).replace("\\<", "&lt;").replace("\\&", "&amp;")


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:200]
