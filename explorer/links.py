"""The app's addresses. They are relative, and hold the whole state of a view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

HOME, LATENTS, LATENT, PICTURES, MAP, INSPECT = "./", "latents", "latent", "pictures", "map", "inspect"
COMPARE, SPANS = "compare", "spans"
LIST, NOTES, QUALITY = "list", "notes", "quality"
COMPARE, SPANS = "compare", "spans"
SAE_DIGITS = 8  # the same as in static/lists.js
NOTES_FILE = "export/notes.json"
CONTROLS_FILE = "export/controls.csv"


def latents_url(params: Mapping[str, object] | None = None, page: int = 1) -> str:
    """The grid of latents, filtered and sorted as the parameters say."""
    return _url(LATENTS, {**(params or {}), "page": page if page > 1 else None})


def found_again_url(sae_fingerprint: str) -> str:
    """The grid by how near another SAE's directions come."""
    return latents_url({"again": sae_fingerprint[:12]})


def telling_url(label: str) -> str:
    """The grid by how well each latent tells the label's pictures from the rest."""
    return latents_url({"tells": label})


def latent_url(latent: int, page: int = 1, view: str = "", seed: int = 0) -> str:
    """One latent; `view` chooses its pictures, `page` counts the whole gallery's pages from 1, `seed` draws."""
    return _url(LATENT, {"latent": latent, "view": view, "page": page if page > 1 else None, "seed": seed or None})


def pictures_url(
    *,
    all_of: Iterable[int | str] = (),
    any_of: Iterable[int | str] = (),
    none_of: Iterable[int | str] = (),
    q: str = "",
    label: str = "",
    text: str = "",
    page: int = 1,
) -> str:
    """Pictures in which all, at least one, and none of these latents are active; `page` counts from 1.

    `q` are words of theirs, `label` is their label, `text` orders them by meaning.
    """
    # Not "all": the page's sanitiser drops form fields that are named like a property of the document.
    asked = {"all_of": all_of, "any_of": any_of, "none_of": none_of}
    params: dict[str, object] = {key: numbers(latents) for key, latents in asked.items()}
    return _url(PICTURES, {**params, "q": q, "label": label, "text": text, "page": page if page > 1 else None})


def map_url(latent: int | None = None, params: Mapping[str, object] | None = None) -> str:
    """All directions in the plane; `latent` is marked, `params` say the colour, the words and the part shown."""
    return _url(MAP, {"latent": latent, **(params or {})})


def points_url(version: str, color: str = "") -> str:
    """The map's points as numbers; the store's version makes them cacheable for ever."""
    return _url(f"points/{version}", {"color": color})


def list_url(latents: Iterable[int], title: str = "", page: int = 1, sae: str = "") -> str:
    """A list of latents in the collector's order; `sae` marks whose numbers these are."""
    at = page if page > 1 else None
    return _url(LIST, {"latents": numbers(latents), "title": title, "sae": sae, "page": at})


def sae_mark(fingerprint: str) -> str:
    """The first digits of an SAE's fingerprint, as addresses of lists carry them: numbers alone name no latents."""
    return fingerprint[:SAE_DIGITS]


def export_url(kind: str, latents: Iterable[int] | None = None, title: str = "") -> str:
    """A file, "csv" or "json", with all figures of these latents; without `latents`, of all."""
    chosen = None if latents is None else numbers(latents)
    return _url(f"export/latents.{kind}", {"latents": chosen, "title": title})


def figure_url(latents: Iterable[int], title: str = "") -> str:
    """These latents with their pictures as one SVG."""
    return _url("export/figure.svg", {"latents": numbers(latents), "title": title})


def notes_url(page: int = 1) -> str:
    """Names and notes from people."""
    return _url(NOTES, {"page": page if page > 1 else None})


def numbers(latents: Iterable[int | str]) -> str:
    """Latents as one parameter: `12,340`; words that stand for some stay as they are."""
    return ",".join(one if isinstance(one, str) else str(int(one)) for one in latents)


def inspect_url(
    image_id: int | None = None,
    *,
    prompts: str = "",
    prompt: int | None = None,
    edit: str = "",
    where: int | None = None,
    method: str = "",
) -> str:
    """One picture of the store, or the place to try one's own; without `image_id`, the session's upload.

    `prompts` has a line each, `prompt` counts them from 0, `edit` is `12:0,340:2.5`, `where` is a latent to look for.
    """
    said = {"prompts": prompts, "prompt": prompt, "edit": edit, "where": where, "method": method}
    return _url(INSPECT, {"image": image_id, **said})


def inspect_with(params: Mapping[str, object]) -> str:
    """The inspected picture with everything else that the address says of it."""
    return _url(INSPECT, params)


def spans_url(params: Mapping[str, object]) -> str:
    """What the directions of a choice of pictures span: `of` says the choice."""
    return _url(SPANS, params)


def compare_url(params: Mapping[str, object]) -> str:
    """Two choices of pictures side by side, `a` and `b`."""
    return _url(COMPARE, params)


def thumbnail_url(version: str, image_id: int) -> str:
    """A picture's file; the store's version makes it cacheable for ever."""
    return f"thumb/{version}/{image_id}"


def _url(path: str, params: Mapping[str, object]) -> str:
    said = {key: value for key, value in params.items() if value not in (None, "")}
    return f"{path}?{urlencode(said, safe=',:')}" if said else path
