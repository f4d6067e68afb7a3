"""Compare: two choices of pictures, their cosine latent by latent, and their spans."""

from __future__ import annotations

import streamlit as st

from explorer import compare_charts as charts
from explorer import frame
from explorer.angles import draw_angles
from explorer.choices import choose
from explorer.grid import draw, waiting
from explorer.models import embed_texts
from explorer.plots import draw_plot
from explorer.sections import compare as sections
from explorer.sections.shared_latents import lists
from explorer.sections.texts import cut
from explorer.stores import current_store
from explorer.uploader import uploads_shown
from explorer.views.compare import Comparison, build_comparison
from explorer.views.compare_examples import build_examples, examples_with
from explorer.views.latent_table import MAX_LABELS

HEIGHT = 900  # pixels; a first text loads the encoder


def draw_comparison(view: Comparison, uploads: dict[str, str]) -> None:
    """Both sides, the cosine, its parts, what is shared."""
    draw(sections.sides(view, uploads), sections.answer(view), sections.parts_head(view))
    title = f"cosine of {view.a.title} and {view.b.title}"
    draw_plot(charts.parts_chart(view), "cosine-parts", title, charts.parts_csv(view))
    draw(lists(view))


store = current_store()
frame.title("Compare")
said = [st.query_params.get(key, "") for key in ("a", "b")]
with waiting(HEIGHT, slow=any("text:" in words for words in said)):
    a, b = (choose(store, words) for words in said)

centred = {"0": False, "1": True}.get(st.query_params.get("centred", ""))
draw(sections.form(a.said, b.said, store.labels.offered(MAX_LABELS), centred))
draw(
    cut(tuple(dict.fromkeys(a.cut + b.cut))),
    *(sections.problem(f"{letter}: {side.problem}") for letter, side in (("A", a), ("B", b)) if side.problem),
)
if a.resolved and b.resolved:
    frame.title(f"{a.resolved.title} | {b.resolved.title}")
    view = build_comparison(store, a.resolved, b.resolved, centred, lambda texts: embed_texts(store, texts))
    draw_comparison(view, uploads_shown(store))
    draw_angles(view.angles, "angles", f"angles of {view.a.title} and {view.b.title}")
elif one := a.resolved or b.resolved:
    draw(sections.invitation(examples_with(store, one), lead=False))
else:
    draw(sections.invitation(build_examples(store), lead=True))
