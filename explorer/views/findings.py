"""What a latent's figures say of its meaning, in a few sentences: each for it, against it, or neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from explorer.views.latent import LatentPage
from explorer.views.latent_figures import Trust
from explorer.views.latent_labels import DecilePurity
from explorer.views.names import LatentName
from explorer.views.standing import Standing
from explorer.wording import carried_words, figure, percent, plural

Speaks = Literal["for", "neither", "against"]
CLEARLY = 0.95  # of random directions that a figure must exceed, and of random galleries that a label
_HOLDS = 0.5  # of the share that a label has among the strongest pictures, and that it must have among the weakest
_MOST = 0.5  # of the gallery that a label must have to be what it shows
_PART = 3  # tenths that are the strongest, and the weakest: one tenth of a small gallery is a picture or two
_COMPARED = {
    "monosemanticity": ("Its pictures are more alike than", "Its pictures are less alike than"),
    "split-half stability": (
        "Two halves of its pictures agree better than",
        "Two halves of its pictures agree worse than",
    ),
}


_ALIKE = {
    "monosemanticity": "Its pictures are as alike as",
    "split-half stability": "Two halves of its pictures agree as well as",
}
SEEN = 0.02  # figures of 0 … 1 that differ by less are no evidence, however many lie between: frequent latents reach 1


@dataclass(frozen=True)
class Finding:
    """One sentence, and what it speaks for."""

    speaks: Speaks
    said: str


def findings(view: LatentPage) -> tuple[Finding, ...]:
    """Of the name, the labels, the pictures and the direction; what the store has no figures for is left out."""
    if view.ref.dead:
        return ()
    if view.has_few:
        return (Finding("neither", _of_few(view)),)
    return (*_of_name(view), *_of_labels(view), *_of_pictures(view), *_of_direction(view))


def _of_few(view: LatentPage) -> str:
    how = "nothing can be concluded from it" if view.n_active == 1 else "hardly anything can be concluded from so few"
    nameless = "" if view.name.text or view.name.guess else ", not even a name"
    return f"{plural(view.n_active, 'picture')}: {how}{nameless}."


def _of_name(view: LatentPage) -> Iterator[Finding]:
    """Of the automatic name, which is said where the title is a person's: theirs was put to no test."""
    by_person = view.name.automatic is not None
    name = view.name.automatic or view.name
    who = "" if name.match == "text" else ", as CLIP judges"
    if name.text:
        which = "The automatic name " if by_person else ""
        yield Finding(
            "for" if name.borne else "neither",
            f"{which}“{name.text}” fits pictures that did not choose it{who}{_witness(view, name)}.",
        )
    elif name.guess:
        which = "No automatic name" if by_person else "No name"
        yield Finding("against", f"{which} fits pictures that did not choose it{who}; best guess “{name.guess}”.")


def _witness(view: LatentPage, name: LatentName) -> str:
    """Whether anything but CLIP says so, which likes some name for most directions."""
    if name.match == "text":
        return ""
    unknown = "no label or caption checks it"
    said = unknown if name.carried is None else carried_words(name.carried)
    if name.borne or view.named_by_chance is None:
        return f"; {said}"
    return f"; {said}; {percent(view.named_by_chance)} of random directions get a name as good"


def _of_labels(view: LatentPage) -> Iterator[Finding]:
    """Whether the commonest label is more than chance, and whether it holds down to weak activations."""
    found = view.purity
    if found is None or not found.whole:
        return
    label, whole = f"“{found.label}”", sum(found.counts) / sum(found.sizes)
    beside = f"(in random galleries of its size {percent(found.random)})"
    if whole < _MOST:
        speaks: Speaks = "against" if whole <= found.random else "neither"
        yield Finding(speaks, f"No label has most of its pictures: “{found.label}” {percent(whole)} {beside}.")
        return
    if found.by_chance > 1 - CLEARLY:
        speaks = "against" if whole < found.random else "neither"
        yield Finding(speaks, f"Label {label} has {percent(whole)} of its pictures, not clearly above chance {beside}.")
        return
    weakest, strongest = (
        sum(found.counts[part]) / sum(found.sizes[part]) for part in (slice(0, _PART), slice(-_PART, None))
    )
    falls = f"{percent(strongest)} of the strongest {_PART}0 %, {percent(weakest)} of the weakest"
    holds = min(strongest, weakest) >= max(_HOLDS * max(strongest, weakest), found.store_share)
    does = "holds" if holds else "fades" if weakest < strongest else "is one of weak activations"
    said = f"Label {label} {does}: {falls} (store: {percent(found.store_share)}){_part_of(found)}."
    yield Finding("for" if holds else "neither", said)


def _part_of(found: DecilePurity) -> str:
    """How much of what has the label it is: a latent of tigers is of mammals, too, and not what makes them so."""
    if not found.n_in_store or found.covered >= _MOST:
        return ""
    there = f"{sum(found.counts):,} of the store’s {found.n_in_store:,}"
    return f". It is narrower: active in {there} with that label"


def _of_pictures(view: LatentPage) -> Iterator[Finding]:
    """Whether they are alike, and two halves of them, beyond what directions without a meaning reach."""
    unclear = []
    for item in view.trust:
        if (found := item.standing) is None:
            continue
        speaks, (more, less) = _speaks(found), _COMPARED[item.name]
        if speaks != "neither" and abs(item.value - found.median) < SEEN:
            yield Finding(
                "neither", f"{_ALIKE[item.name]} those of random directions as frequent: {_beside(item, found)}."
            )
            continue
        if speaks == "neither":
            unclear.append(f"{more} {percent(found.share_below)}")
        else:
            share, said = (found.share_below, more) if speaks == "for" else (1 - found.share_below, less)
            yield Finding(speaks, f"{said} those of {_many(share, found.n)}.")
    if unclear:
        first, *rest = unclear
        others = "".join(f", {one[:1].lower()}{one[1:]}" for one in rest)
        yield Finding("neither", f"{first}{others} of random directions’: no clear difference.")


def _beside(item: Trust, found: Standing) -> str:
    return f"{figure(item.value)}, beside {figure(found.median)} in the median"


def _many(share: float, n: int) -> str:
    """`98 % of random directions as frequent`; all is said of so many."""
    return f"{f'all {n}' if share == 1 else f'{percent(share)} of'} random directions as frequent"


def _of_direction(view: LatentPage) -> Iterator[Finding]:
    """Whether the direction alone says what the gallery does."""
    raised, found = view.effects.raised, view.effects.standing
    if not raised or found is None:
        return
    label = f"“{raised[0].label}”"
    if _speaks(found) != "for":
        stronger = 1 - found.share_below
        who = f"all {found.n}" if stronger == 1 else f"{percent(stronger)} of"
        yield Finding("neither", f"Its direction raises no label clearly: {who} random directions raise one more.")
    elif view.purity is not None and view.purity.label == raised[0].label:
        yield Finding("for", f"Its direction raises {label} most, too.")
    else:
        yield Finding("neither", f"Its direction raises {label} most, which is not its pictures’ commonest label.")


def _speaks(found: Standing) -> Speaks:
    if found.share_below >= CLEARLY:
        return "for"
    return "against" if found.share_below <= 1 - CLEARLY else "neither"
