"""Figures that the definitions say are those of the code."""

from __future__ import annotations

import pytest

from explorer.definitions import DEFINITIONS
from explorer.views.latent_gallery import PER_DECILE
from explorer.views.random_cosines import _DRAWS
from index_builder.analysis.positions import _PERPLEXITY
from index_builder.analysis.recall import _N_QUERIES
from sae_core.heatmaps.grid import N_CELLS, Grid
from sae_core.local_heads import N_STEPS
from sae_core.naming import GOOD, MIN_GOOD

(TEXT, TEXT_LOW), (CLIP, CLIP_LOW) = GOOD["text"], GOOD["clip"]
WORDS = {7: "seventh", 8: "eight"}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("score", f"label or caption matches those (good from {TEXT})"),
        ("score", f"CLIP's cosine says (good from {CLIP})"),
        ("score", f"{TEXT_LOW} or {CLIP_LOW} at least, on {MIN_GOOD} such pictures or more"),
        (
            "good_names",
            f"at least {TEXT} where pictures carry the name in label or caption, {CLIP} where",
        ),
        ("good_names", f"(lower 95 % bounds {TEXT_LOW} and {CLIP_LOW}), on {MIN_GOOD} or more pictures"),
        ("cosine_pair", f"the mean of {_DRAWS} draws"),
        ("cosine_pair_centred", f"the mean of {_DRAWS} draws"),
        ("nearest_recall", f"measured on {_N_QUERIES} pictures"),
        ("heads", f"takes {N_STEPS} full-batch steps of Adam"),
        ("map", f"perplexity {_PERPLEXITY}, started"),
        ("map", f"fewer than {4 * _PERPLEXITY} latents by the components alone"),
        ("deciles", f"up to {WORDS[PER_DECILE]} pictures of each"),
        ("where_occlusion", f"a {WORDS[N_CELLS // Grid(N_CELLS).window]} of it wide"),
    ],
)
def test_a_definition_says_the_figure_of_the_code(key: str, said: str) -> None:
    assert said in DEFINITIONS[key]
