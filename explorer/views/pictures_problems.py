"""Why pictures cannot be searched as they are asked for, in a sentence."""

from __future__ import annotations

from explorer.views.pictures_query import FIELDS, MAX_LATENTS, PicturesQuery
from explorer.views.selection import label_code
from explorer.wording import plural
from sae_core import LatentStore


def problem_of(store: LatentStore, query: PicturesQuery) -> str | None:
    """The first reason; None where there is none."""
    if missing := _missing(store, query) or _no_label(store, query):
        return missing
    if both := {*query.all_of} & {*query.none_of}:
        return f"Latent {min(both)} is asked for and excluded: no picture can match."
    if query.any_of and {*query.any_of} <= {*query.none_of}:
        return "All latents of which one is asked for are excluded: no picture can match."
    if any(len(query.of(field)) > MAX_LATENTS for field in FIELDS):
        return f"One list takes {MAX_LATENTS} latents at most."
    if query.none_of and not query.names_pictures:
        return "Exclusions alone name no picture: say which latents are active, a label or words, too."
    return None


def _missing(store: LatentStore, query: PicturesQuery) -> str | None:
    """That a latent is not there, or not to be seen."""
    these = f"this store has latents 0 … {store.n_latents - 1:,}"
    if query.unread:
        return f"“{query.unread[0][1]}” is no number of a latent; {these}."
    if unknown := [latent for latent in query.latents if latent >= store.n_latents]:
        return f"There is no latent {', '.join(map(str, unknown))}; {these}."
    if withheld := sorted(store.hidden.latents.intersection(query.latents)):
        return f"Latent {withheld[0]} is withheld by those who share this store."
    return None


def _no_label(store: LatentStore, query: PicturesQuery) -> str | None:
    """That a label is not there. A withheld one is as one that there is not."""
    if not query.label or label_code(store, query.label) is not None:
        return None
    n = len(store.labels.names)
    has = f"this store has {plural(n, 'label')}" if n else "this store’s pictures have no labels"
    return f"There is no label “{query.label}”; {has}. Parts of a label are found as words."
