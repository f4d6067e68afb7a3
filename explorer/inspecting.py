"""What Inspect draws of one picture: its code with sliders, texts against it, the pictures beside it."""

from __future__ import annotations

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.grid import draw
from explorer.models import cut_texts, embed_text, sae, why_no_texts
from explorer.plots import draw_plot
from explorer.score_charts import waterfall, waterfall_csv
from explorer.sections import edits as edit_sections
from explorer.sections import inspection as sections
from explorer.sections import scores as score_sections
from explorer.sections.code_rows import code
from explorer.sections.texts import cut
from explorer.uploader import CODE_HEIGHT
from explorer.views.code_rows import build_rows
from explorer.views.edits import Edit, build_edit
from explorer.views.inspect_query import InspectQuery
from explorer.views.inspection import Source, build_inspection
from explorer.views.meant import find_meant
from explorer.views.scores import Scores, build_scores, default_prompts, suggested_labels
from explorer.where import draw_where
from sae_core import LatentStore
from sae_core.errors import SparsightError

_SCORES_HEIGHT = 420  # pixels


def draw_inspection(store: LatentStore, source: Source, query: InspectQuery, beside: DeltaGenerator) -> None:
    """The code in `beside`, the rest below; what is slow is drawn last, into its place."""
    with beside, st.skeleton(height=CODE_HEIGHT):
        sae(store)  # raises MismatchError where it is not the one that made the codes
        view = build_inspection(store, source)
        rows = build_rows(store, view, query)
        meant = find_meant(store, query.add.words, partial(query.added, store))
    edit, refusal = _edit(store, source, query)
    with beside:
        draw(edit_sections.problems(query), sections.reconstruction(view, edit is not None), refusal)
        draw(code(view, rows), edit_sections.add_form(query, meant))
        outcome = st.empty()
    _draw_outcome(outcome, edit, query)
    where, scores = st.container(), st.container(key="scores")
    if edit is None:
        draw(sections.nearest(view))
    else:
        draw(edit_sections.before_and_after(edit, view.pair_cosine))
    with scores:
        scored = _draw_scores(store, source, query, edit)
    _draw_outcome(outcome, edit, query, scored)
    with where:
        draw_where(store, source)


def _edit(store: LatentStore, source: Source, query: InspectQuery) -> tuple[Edit | None, str]:
    """The edit, or why there is none."""
    if not query.edit:
        return None, ""
    try:
        edit = build_edit(store, source, query.edit)
    except SparsightError as error:
        return None, edit_sections.refused(str(error), query)
    return edit, ""


def _draw_outcome(place: DeltaGenerator, edit: Edit | None, query: InspectQuery, scored: Scores | None = None) -> None:
    """What the edit did: at once, and again with the texts' scores as soon as there are any."""
    if edit is not None:
        with place:
            draw(edit_sections.summary(edit, query, scored.scores if scored else ()))


def _draw_scores(store: LatentStore, source: Source, query: InspectQuery, edit: Edit | None) -> Scores | None:
    texts = query.prompts or default_prompts(store, source)
    suggestions = score_sections.suggestions(query, texts, suggested_labels(store, source))
    draw(score_sections.heading())
    asked, taken_apart = st.columns([1, 2.2], gap="large")
    with asked:
        draw(score_sections.form(query, texts))
        below_box = st.empty()
        draw(suggestions)
    with taken_apart:
        if texts:
            scored = _draw_taken_apart(store, source, query, texts, edit)
            with below_box:
                draw(cut(cut_texts(store, texts)))
            return scored
        draw(score_sections.nothing_yet())
        return None


def _draw_taken_apart(
    store: LatentStore, source: Source, query: InspectQuery, texts: tuple[str, ...], edit: Edit | None
) -> Scores | None:
    """An encoder that could not be had is asked again when the visitor says a text, else only after a while."""
    if query.prompts is None and (why := why_no_texts(store)):
        draw(score_sections.refused(why))
        return None
    try:
        with st.skeleton(height=_SCORES_HEIGHT):
            moved = None if edit is None else edit.embedding
            view = build_scores(store, source, texts, query.prompt, lambda text: embed_text(store, text), moved)
    except SparsightError as error:
        draw(score_sections.refused(str(error)))
        return None
    draw(score_sections.table(view, query), score_sections.in_words(view))
    draw_plot(waterfall(view), "waterfall", f"score of {view.score.text}", waterfall_csv(view))
    return view
