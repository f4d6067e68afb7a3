"""The narrow column beside a latent's pictures: its figures, each with its baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from explorer.definitions import DEFINITIONS
from explorer.directions import isolated
from explorer.sections import parts
from explorer.sections.bars import decile_bars, density_bar, label_bars, share_bar
from explorer.sections.latent_relatives import similar, together
from explorer.views.latent import LatentPage
from explorer.views.latent_figures import LabelEffect, Trust
from explorer.views.standing import Standing
from explorer.wording import activation, figure, percent, plural, signed


def histogram_head(view: LatentPage) -> str:
    """Above the histogram."""
    said = parts.dim(f"median {activation(view.median_activation)}, strongest {activation(view.max_activation)}")
    return parts.head("How strongly", DEFINITIONS["histogram"], said)


def side(view: LatentPage, recalled: str = "") -> str:
    """Everything under the histogram. What a store has no data for is left out.

    `recalled` is HTML that follows the labels. Relatives stand below a short gallery (`latent_relatives.below`).
    """
    facts = [_density(view), _trust(view), _labels(view), recalled]
    relatives = [] if view.is_short else [together(view), similar(view)]
    return "".join([*facts, *relatives, effects(view)])


def effects(view: LatentPage) -> str:
    """Which labels the direction moves, next to what the other latents' directions do."""
    up, down = view.effects.raised, view.effects.lowered
    if not up and not down:
        return ""
    longest = max(abs(effect.z) for effect in (*up, *down))
    line = parts.head("What its direction says", DEFINITIONS["effect"], parts.dim("z / cosine"))
    said = _effect_sentence(up, down)
    if view.effects.standing:
        said += f" Its largest z is {_stands(view.effects.standing)}."
    said = f"<p>{parts.dim(said)}</p>"
    rows = "".join(_effect_row(effect, longest) for effect in (*up, *down))
    return f'<section>{line}{said}<div class="sp-effects">{rows}</div></section>'


def _density(view: LatentPage) -> str:
    density, even = view.ref.density, percent(view.even_density)
    said = parts.dim(f"{view.n_active:,} of {plural(view.n_images, 'picture')}")
    line = parts.head("How often", DEFINITIONS["density"].format(even=even), said)
    return (
        f'<section>{line}<div class="sp-line"><span class="sp-density sp-wide">{density_bar(density)}'
        f"{percent(density)}</span>{parts.dim(f'evenly: {even}')}</div></section>"
    )


def _labels(view: LatentPage) -> str:
    """The gallery's labels, and whether the most common one holds down to the weakest decile."""
    if not view.labels or view.purity is None:
        return ""
    line = parts.head("Labels", DEFINITIONS["labels"], parts.dim("gallery / store"))
    label, share = isolated(view.purity.label), percent(view.purity.store_share)
    mark = parts.help_mark(DEFINITIONS["decile_purity"].format(label=label, share=share))
    said = f'<p class="sp-caption"><span>“{escape(label)}” by decile{mark}</span></p>{decile_bars(view.purity)}'
    random = (
        f"In random galleries of this size the most common label, whichever it is, has {percent(view.purity.random)}"
    )
    found = view.purity.standing
    random += f". Its share here is {_stands(found, percent)} with theirs." if found else "."
    bars = f"{label_bars(view.labels)}<p>{parts.dim(random)}</p>"
    return f"<section data-spa>{line}{bars}{said if view.purity.whole else ''}</section>"


def _trust(view: LatentPage) -> str:
    """How far it means one thing."""
    if not view.trust:
        few = f"{plural(view.n_active, 'picture')}: too few to compare with each other."
        return f"<section>{parts.head('How sure')}<p>{parts.dim(few)}</p></section>" if view.has_few else ""
    rows = "".join(_trust_row(item) for item in view.trust)
    explained = DEFINITIONS["standing"] if any(item.standing for item in view.trust) else ""
    line = parts.head("How sure", explained, beside=parts.dim("latent / baseline"))
    return f'<section>{line}<div class="sp-labels">{rows}</div></section>'


def _stands(found: Standing, write: Callable[[float], str] = figure) -> str:
    """Where a figure stands among random directions."""
    return f"{found.words} random directions (median {write(found.median)})"


def _trust_row(item: Trust) -> str:
    here, there = figure(item.value), figure(item.baseline)
    mark = parts.help_mark(DEFINITIONS[item.definition].format(baseline=there))
    tip = f"{item.name}: {here}; {item.baseline_name}: {there}"
    both = f'<span class="sp-num" data-tip="{escape(tip)}">{here} {parts.dim(f"/ {there}")}</span>'
    bar = share_bar(item.value, item.baseline)
    said = f'<span class="sp-dim sp-stands">{_stands(item.standing)}</span>' if item.standing else ""
    return f'<div class="sp-label"><span>{escape(item.name)}{mark}</span>{both}{bar}{said}</div>'


def _effect_sentence(up: Iterable[LabelEffect], down: Iterable[LabelEffect]) -> str:
    """What the list means, with its two ends as the example."""
    raised, lowered = next(iter(up), None), next(iter(down), None)
    ends = [
        f"{does} “{isolated(effect.label)}”" for does, effect in (("raises", raised), ("lowers", lowered)) if effect
    ]
    return (
        "Added to a picture’s embedding, it moves CLIP’s score of every label; next to other latents it "
        f"{' and '.join(ends)} most."
    )


def _effect_row(effect: LabelEffect, longest: float) -> str:
    """A bar to the right for what is raised, to the left for what is lowered."""
    width = 50 * abs(effect.z) / longest if longest else 0.0
    left = 50.0 if effect.z > 0 else 50 - width
    label = isolated(effect.label)
    tip = f"{label}: {signed(effect.z)} standard deviations over the mean; cosine {figure(effect.cosine, 3)}"
    bar = f'<i style="margin-left:{left:.1f}%;width:{width:.1f}%"></i><s style="left:50%"></s>'
    figures = f'<span class="sp-num">{signed(effect.z)} {parts.dim(f"/ {figure(effect.cosine)}")}</span>'
    name = f"<span>{escape(label)}</span>"
    return f'<div class="sp-effect" data-tip="{escape(tip)}">{name}<span class="sp-bar">{bar}</span>{figures}</div>'
