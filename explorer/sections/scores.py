"""Texts and their scores on Inspect."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.sections.edits import form_state
from explorer.views.inspect_query import MAX_PROMPT, MAX_PROMPTS, InspectQuery
from explorer.views.scores import Score, Scores
from explorer.wording import figure, signed

_TITLE = "Why does a text score as it does?"


def heading() -> str:
    """The section's title."""
    return parts.head(_TITLE, DEFINITIONS["accounting"])


def form(query: InspectQuery, prompts: tuple[str, ...]) -> str:
    """Texts, a line each."""
    hint = f"one text a line, {MAX_PROMPTS} at most"
    return (
        f'<form class="sp-prompts" action="{links.INSPECT}" method="get" {form_state(query, "prompts", "prompt")}'
        f'<label for="sp-prompts-field">Texts <span class="sp-dim">{hint}</span></label>'
        f'<textarea id="sp-prompts-field" name="prompts" rows="{min(max(len(prompts) + 1, 3), MAX_PROMPTS)}" '
        f'maxlength="{MAX_PROMPTS * (MAX_PROMPT + 1)}" placeholder="a red car&#10;a drawing of a dog" '
        f'autocomplete="off">{escape(chr(10).join(prompts))}</textarea>'
        f"{''.join(map(parts.refusal, query.text_problems))}"
        f'<div class="sp-tools"><button type="submit" class="sp-copy">score</button></div></form>'
    )


def suggestions(query: InspectQuery, prompts: tuple[str, ...], suggested: tuple[str, ...]) -> str:
    """Labels to begin with."""
    new = [text for text in suggested if text not in prompts]
    if not new or len(prompts) >= MAX_PROMPTS:
        return ""
    chips = "".join(
        f'<a class="sp-chip" href="{escape(query.url(prompts=chr(10).join((*prompts, text))))}">'
        f"+ {escape(isolated(text))}</a>"
        for text in new
    )
    tip = parts.help_mark(DEFINITIONS["suggested_labels"])
    return (
        f'<p class="sp-caption">Labels of pictures like this one{tip}</p>'
        f'<div class="sp-wherechips" data-spa data-stay>{chips}</div>'
    )


def table(view: Scores, query: InspectQuery) -> str:
    """A row a text; the chosen one is the one taken apart beside."""
    edited = view.score.edited is not None
    names = ["score", "store’s mean", "z", "rebuilt", *(["edited"] if edited else [])]
    tips = ["text_score", "store_score", "score_z", "rebuilt_score", "edited_score"]
    heads = "".join(
        f"<span>{name}{parts.help_mark(DEFINITIONS[tip])}</span>" for name, tip in zip(names, tips, strict=False)
    )
    rows = "".join(_row(view, i, query) for i in range(len(view.scores)))
    kind = "sp-scores sp-five" if edited else "sp-scores"
    return (
        f'<div class="{kind}" data-spa data-stay><div class="sp-scorehead"><span>text</span>{heads}</div>{rows}</div>'
    )


def in_words(view: Scores) -> str:
    """The chosen score beside its baseline, and what renormalising does."""
    one = view.score
    mean, spread = figure(one.store_mean, 3), figure(one.store_spread, 3)
    held, text = float(view.parts.rebuilt[view.chosen]), isolated(one.text)
    return (
        f'<p class="sp-scorewords">“{escape(text)}” scores <b class="sp-num">{figure(one.picture, 3)}</b>, '
        f"{one.level} the store’s mean of {mean} (± {spread}, one standard deviation of its pictures). "
        f'The code with its bias holds <span class="sp-num">{figure(held, 3)}</span> of it; the residual is what no '
        f"kept latent explains. The reconstruction has length {figure(view.norm, 3)}: made unit, it scores "
        f'{figure(held, 3)} / {figure(view.norm, 3)} = <span class="sp-num">{figure(one.rebuilt, 3)}</span>. '
        f"{_nothing(one)}{_edited(one)}</p>{_unexplained(view)}"
    )


def nothing_yet() -> str:
    """No text was said, and the picture has no label."""
    return parts.dim("Say what to look for: the score of each text is then split over the latents of this picture.")


def refused(sentence: str) -> str:
    """The encoder cannot be had."""
    return parts.refusal(f"Texts cannot be scored: {sentence}.")


def _nothing(one: Score) -> str:
    """What a score that most pictures have does not say; one far below the mean is as telling as one far above."""
    little = "As texts go, it says little about this picture: it lies within a standard deviation of the store’s mean."
    return little if abs(one.z) < 1 else ""  # nor where all pictures score alike, and there is no z


def _unexplained(view: Scores) -> str:
    """Bars tempt: where most lies outside of them, that must stand beside them."""
    if not view.unexplained:
        return ""
    said = (
        "The residual is larger than the part of any latent: the bars are not to be read as this score’s explanation."
    )
    return parts.caution(said)


def _edited(one: Score) -> str:
    return "" if one.edited is None else " The bars split the score as it was before the edit."


def _row(view: Scores, i: int, query: InspectQuery) -> str:
    one, current = view.scores[i], ' aria-current="true"' if i == view.chosen else ""
    cells = [
        _cell("score", figure(one.picture, 3)),
        _cell("store’s mean", f"{figure(one.store_mean, 3)}", f"± {figure(one.store_spread, 3)}"),
        _cell("z", signed(one.z)),
        _cell("rebuilt", figure(one.rebuilt, 3)),
    ]
    if one.edited is not None:
        change = one.edited - one.picture
        cells.append(_cell("edited", figure(one.edited, 3), signed(change, 3)))
    link = f'<a href="{escape(query.url(prompt=i or None))}"{current}>{escape(isolated(one.text))}</a>'
    return f'<div class="sp-scorerow">{link}{"".join(cells)}</div>'


def _cell(name: str, value: str, beside: str = "") -> str:
    extra = f' <span class="sp-dim">{escape(beside)}</span>' if beside else ""
    return f'<span class="sp-num" data-name="{escape(name)}">{escape(value)}{extra}</span>'
