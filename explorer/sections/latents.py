"""The Latents page's sections; its filter bar is in latents_filter."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections.cards import latent_cards
from explorer.sections.pager import steps
from explorer.sections.parts import dim, head, help_mark, left_out, note, picture
from explorer.sections.texts import control, no_meaning, nothing_stands_out
from explorer.views.by_meaning import ByMeaning
from explorer.views.chance import best_z
from explorer.views.chips import Chip
from explorer.views.latents import FoundLatent, LatentsPage, Score
from explorer.views.latents_query import LatentsQuery
from explorer.views.rankings import Ranking
from explorer.wording import figure, plural


def summary(view: LatentsPage) -> str:
    """How many match, what narrows them, and what ranks them."""
    if view.paging.n_items == view.n_latents:
        said = f"all {plural(view.n_latents, 'latent')}"
    else:
        said = f"{view.paging.n_items:,} of {plural(view.n_latents, 'latent')}"
    where = f", page {view.paging.page:,} of {view.paging.n_pages:,}" if view.paging.n_pages > 1 else ""
    rule = help_mark(view.rule) if view.rule else ""
    chips = "".join(map(_chip, view.chips))
    if len(view.chips) > 1:
        chips += f'<a class="sp-clear" href="{escape(_cleared(view.query).url())}">clear all</a>'
    rankings = "".join(_ranking(ranking) for ranking in view.rankings) + _together(view)
    problems = "".join(f'<p class="sp-refused" role="alert">{escape(said)}</p>' for said in view.problems)
    if view.query.label and not view.query.tells:
        chips += (
            f'<a class="sp-under" href="{escape(links.telling_url(view.query.label))}">which tell it from the rest</a>'
        )
    more = f"{steps(view.paging)}{rule}{chips}"
    line = f'<div class="sp-summary" data-spa><span role="status">{said}{where}</span>{more}</div>'
    return f"{line}{rankings}{problems}{left_out(view.left_out)}"


def cards(view: LatentsPage) -> str:
    """The grid."""
    return latent_cards([found.card for found in view.found], [_scores(found) for found in view.found])


def by_meaning(view: ByMeaning) -> str:
    """What lies nearest to words that nothing says: cards, what their scores are worth, and the way to all."""
    more = (
        f'<a href="{escape(view.href)}">all {view.n_found:,} by meaning</a>' if view.n_found > len(view.found) else ""
    )
    shown = latent_cards([found.card for found in view.found], [_scores(found) for found in view.found])
    title = head("Found by meaning", beside=more)
    return f'<section class="sp-meant" data-spa>{title}{_ranking(view.ranking)}{shown}</section>'


def nothing(view: LatentsPage) -> str:
    """No latent matches: why, and what would."""
    number = view.query.number
    if number is not None and number >= view.n_latents:
        why = f"This store has latents 0 … {view.n_latents - 1:,}; there is no {number:,}."
    else:
        why = "No latent of this store matches all of these conditions."
    ways = "".join(
        f'<li><a href="{escape(chip.href)}">Without {escape(chip.text)}</a>: {plural(n, "latent")}</li>'
        for chip, n in view.ways_out
    )
    more = f"<ul>{ways}</ul>" if ways else ""
    return note(
        "Nothing found",
        f'<p>{escape(why)}</p>{_instead(view)}{more}<p><a href="{links.LATENTS}">Show all latents</a></p>',
    )


def _instead(view: LatentsPage) -> str:
    """Other words, or the same ones by their meaning."""
    like = ", ".join(f'<a href="{escape(href)}">{escape(words)}</a> {dim(f"({n:,})")}' for words, href, n in view.like)
    said = f"<p>Did you mean {like}?</p>" if like else ""
    if view.by_meaning:
        there = f'<a href="{escape(view.by_meaning)}">Search “{escape(view.query.q)}” by meaning</a>'
        said += f"<p>Names and labels do not say it. {there}</p>"
    return said + no_meaning(view.no_meaning)


def _chip(chip: Chip) -> str:
    said = escape(chip.text)
    return f'<a class="sp-chip" href="{escape(chip.href)}" aria-label="remove the filter {said}">{said} ×</a>'


def _cleared(query: LatentsQuery) -> LatentsQuery:
    return query.without(*query.filters)


def _ranking(ranking: Ranking) -> str:
    """What was compared with what, and the baseline."""
    tile = ranking.picture
    shown = f'<a href="{escape(tile.href)}">{picture(tile, 72)}</a>' if tile else ""
    baseline = f"Baseline: {ranking.written(ranking.mean)}, the mean over all latents."
    return (
        f'<div class="sp-ranking" data-spa>{shown}<p><b>{escape(ranking.title)}</b>{help_mark(DEFINITIONS["z"])}'
        f"{_turn(ranking)}<br>{dim(f'{ranking.explanation} {baseline}{_control(ranking)}')}{_weak(ranking)}</p></div>"
    )


def _turn(ranking: Ranking) -> str:
    """The other order, where there is one."""
    if ranking.turn is None:
        return ""
    words, href = ranking.turn
    return f' · <a class="sp-under" href="{escape(href)}">{escape(words)}</a>'


def _control(ranking: Ranking) -> str:
    return control(ranking.chance) if ranking.chance else ""


def _weak(ranking: Ranking) -> str:
    return "" if ranking.stands_out else nothing_stands_out(best_z(ranking.scores))


def _together(view: LatentsPage) -> str:
    if len(view.rankings) < 2:
        return ""
    return f"<p>{dim('Best match: by the mean of the z scores of these rankings.')}</p>"


def _scores(found: FoundLatent) -> str:
    return "".join(map(_score, found.scores))


def _score(score: Score) -> str:
    active = '<span class="sp-on">active</span>' if score.active else ""
    z = figure(score.z, 1)
    tip = f"{score.name} {score.value}: {z} standard deviations above the mean of all latents"
    return (
        f'<div class="sp-line sp-score" data-tip="{escape(tip)}">'
        f'<span class="sp-num">{escape(score.name)} {score.value}</span>'
        f'<span class="sp-dim sp-num">z {z}</span>{active}</div>'
    )
