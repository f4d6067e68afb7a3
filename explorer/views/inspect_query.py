"""What the address asks of Inspect: texts to score (`prompts`, `prompt=1`), the edited code (`edit=12:0,340:2.5`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from explorer import links
from explorer.views.latents_query import MAX_WORDS
from explorer.views.paging import whole_number
from sae_core import LatentStore
from sae_core.errors import SparsightError

MAX_PROMPTS = 8
MAX_PROMPT = 200  # characters; CLIP reads 77 tokens
MAX_EDITS = 64
MAX_ACTIVATION = 1000.0
_OF_ONE = frozenset(("where", "method", "deletion"))  # parameters of explorer.views.where_query
_OURS = ("prompts", "prompt", "edit", "add", "to")


class Addition(NamedTuple):
    """A latent that was to be added, and is not yet: by words, which may stand for several."""

    words: str = ""
    to: float | None = None  # its activation; None: its mean
    problem: str = ""  # why there is nothing to add, said at the form


@dataclass(frozen=True)
class InspectQuery:
    """One question; every change of it keeps the rest of the address."""

    prompts: tuple[str, ...] | None = None  # None: nobody said any; () would be asked for nothing
    prompt: int = 0  # the one whose score is taken apart
    edit: Mapping[int, float] = field(default_factory=dict)  # latent -> its new activation
    problems: tuple[str, ...] = ()  # a sentence for every part of the edit that could not be read
    text_problems: tuple[str, ...] = ()  # the same of the texts, said at their box
    add: Addition = field(default_factory=Addition)
    others: Mapping[str, str] = field(default_factory=dict)  # parameters that belong to others: image, where, …

    @property
    def of_a_picture(self) -> bool:
        """Whether it asks something of one picture, whichever that is."""
        return self.prompts is not None or bool(self.edit) or not _OF_ONE.isdisjoint(self.others)

    @property
    def said(self) -> dict[str, object]:
        """All parameters, as the address writes them."""
        return {
            **self.others,
            "prompts": None if self.prompts is None else "\n".join(self.prompts),
            "prompt": self.prompt or None,
            "edit": edit_text(self.edit),
        }

    def url(self, **changes: object) -> str:
        """The same page with other parameters; None takes one out."""
        return links.inspect_with({**self.said, **changes})

    def added(self, store: LatentStore, latent: int) -> str:
        """The same page with the latent that was meant to be added."""
        to = self.add.to
        return self.edited(latent, usual_activation(store, latent) if to is None else to)

    def edited(self, latent: int, activation: float | None) -> str:
        """The same page with one latent's activation changed; None resets it."""
        edit = {**self.edit, latent: activation}
        return self.url(edit=edit_text({one: value for one, value in edit.items() if value is not None}))


def read_inspect(store: LatentStore, params: Mapping[str, str]) -> InspectQuery:
    """Of the address's parameters; what cannot be read becomes a sentence, and the rest counts.

    `add=340&to=2.5`, as the form sends it, joins `edit`; without `to`, the latent's mean activation is meant. Words in
    place of the number are a question: which latent is meant?
    """
    problems: list[str] = []
    text_problems: list[str] = []
    edit: dict[int, float] = {}
    asked = [part for part in params.get("edit", "").split(",") if part.strip()]
    if len(asked) > MAX_EDITS:
        problems.append(f"At most {MAX_EDITS} latents are edited at once; the first {MAX_EDITS} are.")
    for part in asked[:MAX_EDITS]:
        number, _, value = part.partition(":")
        _read_into(edit, problems, store, number, value)
    add = _add(edit, store, params.get("add", "").strip()[:MAX_WORDS], params.get("to", "").strip())
    prompts = _prompts(params["prompts"], text_problems) if "prompts" in params else None
    chosen = whole_number(params.get("prompt"), 0)
    others = {key: value for key, value in params.items() if key not in _OURS}
    return InspectQuery(prompts or None, chosen, edit, tuple(problems), tuple(text_problems), add, others)


def edit_text(edit: Mapping[int, float]) -> str:
    """`12:0,340:2.5`, four figures each."""
    return ",".join(f"{latent}:{value:.4g}" for latent, value in edit.items())


def usual_activation(store: LatentStore, latent: int) -> float:
    """A latent's mean activation where it is active; of a dead one, the mean over all others."""
    means = store.latents["mean_activation"].to_numpy(dtype=float)
    if means[latent] > 0:
        return float(means[latent])
    alive = means[means > 0]
    return float(alive.mean()) if alive.size else 1.0


def _add(edit: dict[int, float], store: LatentStore, said: str, to: str) -> Addition:
    """Into the edit, if it is a number; what is left to ask or to say."""
    if not said:
        return Addition()
    try:
        activation = _activation(to) if to else None
        if whole_number(said, -1) < 0:
            return Addition(said, activation)
        latent = _latent(store, said)
    except SparsightError as error:
        return Addition(problem=str(error))
    edit[latent] = usual_activation(store, latent) if activation is None else activation
    return Addition()


def _read_into(edit: dict[int, float], problems: list[str], store: LatentStore, number: str, value: str) -> None:
    try:
        latent, activation = _latent(store, number), _activation(value)
    except SparsightError as error:
        problems.append(str(error))
    else:
        edit[latent] = activation


def _latent(store: LatentStore, said: str) -> int:
    latent = whole_number(said, -1)
    if latent < 0:
        raise SparsightError(f"“{said.strip()[:40]}” is no latent; an edit is LATENT:ACTIVATION, as in 12:0.")
    if latent >= store.n_latents:
        raise SparsightError(f"There is no latent #{latent}; this store has 0 … {store.n_latents - 1:,}.")
    return latent


def _activation(said: str) -> float:
    try:
        value = float(said.strip())
    except ValueError:
        value = math.nan
    if not 0 <= value <= MAX_ACTIVATION:
        what = f"“{said.strip()[:40]}”" if said.strip() else "Nothing"
        raise SparsightError(f"{what} is no activation; it is a number from 0 to {MAX_ACTIVATION:g}.")
    return value + 0.0  # no -0


def _prompts(said: str, problems: list[str]) -> tuple[str, ...]:
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    if any(len(line) > MAX_PROMPT for line in lines):
        problems.append(f"Of a text the first {MAX_PROMPT} characters are scored, about as much as CLIP reads.")
    texts = tuple(dict.fromkeys(line[:MAX_PROMPT] for line in lines))
    if len(texts) > MAX_PROMPTS:
        problems.append(f"At most {MAX_PROMPTS} texts are scored at once; the first {MAX_PROMPTS} are.")
    return texts[:MAX_PROMPTS]
