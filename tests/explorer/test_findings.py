"""A latent in short: which sentence its figures earn, and what each speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from explorer.sections.findings import listed
from explorer.views.findings import Finding, Speaks, findings
from explorer.views.latent import LatentPage, build_latent
from explorer.views.latent_figures import EffectList, LabelEffect, Trust
from explorer.views.latent_labels import DecilePurity
from explorer.views.names import LatentName
from explorer.views.standing import Standing
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page

SIZES = (4,) * 10
BY_CLIP = "“dog” fits pictures that did not choose it, as CLIP judges"


@pytest.fixture(scope="module")
def page(store: LatentStore) -> LatentPage:
    """Of forty pictures, of which nothing is known yet."""
    latent = int(store.latents["n_active"].argmax())
    nothing: dict[str, Any] = {
        "name": LatentName(None),
        "named_by_chance": 0.64,
        "purity": None,
        "trust": (),
        "effects": EffectList((), (), None),
    }
    return replace(build_latent(store, latent), n_active=40, **nothing)


def the_only(view: LatentPage) -> Finding:
    (found,) = findings(view)
    return found


def by_decile(
    counts: Sequence[int],
    random: float = 0.3,
    store_share: float = 0.1,
    n_in_store: int = 0,
    by_chance: float = 0.001,
) -> DecilePurity:
    return DecilePurity("dogs", tuple(counts), SIZES, store_share, random, by_chance, n_in_store=n_in_store)


def trust(name: str, share: float) -> Trust:
    return Trust(name, 0.5, 0.3, "two", "monosemanticity", Standing(share, 0.4, 64))


@pytest.mark.parametrize(
    ("name", "speaks", "said"),
    [
        (LatentName("dog", match="text", borne=True), "for", "“dog” fits pictures that did not choose it."),
        (
            LatentName("dog", match="clip", carried=8, borne=True),
            "for",
            f"{BY_CLIP}; 8 of the 12 strongest pictures carry it",
        ),
        (
            LatentName("dog", match="clip", carried=1),
            "neither",
            f"{BY_CLIP}; 1 of the 12 strongest pictures carries it",
        ),
        (
            LatentName("dog", match="clip"),
            "neither",
            f"{BY_CLIP}; no label or caption checks it; 64\u00a0% of random",
        ),
        (LatentName(None, "cat", match="clip"), "against", "No name fits pictures that did not choose it, as CLIP"),
        (
            LatentName("Rex", source="person", automatic=LatentName("dog", match="text", borne=True)),
            "for",
            "The automatic name “dog” fits pictures",
        ),
        (
            LatentName("Rex", source="person", automatic=LatentName(None, "cat", match="text")),
            "against",
            "No automatic name fits pictures that did not choose it; best guess “cat”.",
        ),
    ],
)
def test_a_name_is_worth_what_held_out_pictures_say(
    page: LatentPage, name: LatentName, speaks: Speaks, said: str
) -> None:
    found = the_only(replace(page, name=name))
    assert found.speaks == speaks and found.said.startswith(said)


@pytest.mark.parametrize(
    ("n_in_store", "said"),
    [
        (400, "(store: 10\u00a0%). It is narrower: active in 40 of the store’s 400 with that label."),
        (80, "10\u00a0%)."),
    ],
)
def test_a_label_of_many_more_pictures_is_wider_than_the_latent(page: LatentPage, n_in_store: int, said: str) -> None:
    found = the_only(replace(page, purity=by_decile((4,) * 10, n_in_store=n_in_store)))
    assert found.speaks == "for" and found.said.endswith(said)


@pytest.mark.parametrize(
    ("counts", "speaks", "said"),
    [
        ((3, 3, 3, 3, 3, 3, 4, 4, 4, 4), "for", "holds: 100\u00a0% of the strongest 30 %, 75\u00a0% of the weakest"),
        (
            (0, 0, 2, 3, 3, 3, 4, 4, 4, 4),
            "neither",
            "fades: 100\u00a0% of the strongest 30 %, 17\u00a0% of the weakest",
        ),
        ((4, 4, 4, 4, 3, 3, 3, 0, 0, 0), "neither", "is one of weak activations: 0"),
        ((2, 2, 2, 2, 2, 1, 2, 2, 2, 2), "neither", "No label has most of its pictures: “dogs” 48\u00a0% (in random"),
        ((1, 1, 1, 1, 1, 1, 1, 1, 1, 1), "against", "No label has most of its pictures: “dogs” 25\u00a0% (in random"),
    ],
)
def test_a_label_is_most_pictures_and_weak_ones_too(
    page: LatentPage, counts: Sequence[int], speaks: Speaks, said: str
) -> None:
    found = the_only(replace(page, purity=by_decile(counts)))
    assert found.speaks == speaks and said in found.said


def test_a_label_as_frequent_as_in_the_store_or_in_random_galleries_is_nothing(page: LatentPage) -> None:
    counts = (3, 3, 3, 3, 3, 3, 3, 3, 3, 3)
    assert the_only(replace(page, purity=by_decile(counts, store_share=0.7))).speaks == "for"
    assert the_only(replace(page, purity=by_decile(counts, store_share=0.8))).speaks == "neither"
    for random, speaks in ((0.8, "against"), (0.75, "neither"), (0.7, "neither")):
        found = the_only(replace(page, purity=by_decile(counts, random=random, by_chance=0.3)))
        beside = f"(in random galleries of its size {100 * random:.0f} %)"
        said = f"Label “dogs” has 75 % of its pictures, not clearly above chance {beside}."
        assert (found.speaks, found.said.replace("\u00a0", " ")) == (speaks, said)
    small = replace(by_decile(counts), sizes=(0, *SIZES[1:]))
    assert findings(replace(page, purity=small)) == ()  # too few pictures for tenths


def test_pictures_are_held_against_random_directions(page: LatentPage) -> None:
    def of(alike: float, halves: float) -> list[tuple[Speaks, str]]:
        both = (trust("monosemanticity", alike), trust("split-half stability", halves))
        return [(one.speaks, one.said.replace("\u00a0", " ")) for one in findings(replace(page, trust=both))]

    assert of(0.96, 0.03) == [
        ("for", "Its pictures are more alike than those of 96 % of random directions as frequent."),
        ("against", "Two halves of its pictures agree worse than those of 97 % of random directions as frequent."),
    ]
    assert of(1, 0.5) == [
        ("for", "Its pictures are more alike than those of all 64 random directions as frequent."),
        ("neither", "Two halves of its pictures agree better than 50 % of random directions’: no clear difference."),
    ]
    assert of(0.94, 0.06) == [
        (
            "neither",
            "Its pictures are more alike than 94 %, two halves of its pictures agree better than 6.0 % of random "
            "directions’: no clear difference.",
        )
    ]
    assert findings(replace(page, trust=(replace(trust("monosemanticity", 1), standing=None),))) == ()


@pytest.mark.parametrize("share", [0, 1])
def test_what_rounds_to_the_same_is_no_evidence_whatever_its_rank(page: LatentPage, share: float) -> None:
    """Halves of a thousand pictures agree to 0.99 and more, of random directions, too."""
    saturated = replace(trust("split-half stability", share), value=0.99, standing=Standing(share, 1.0, 57))
    found = the_only(replace(page, trust=(saturated,)))
    assert found.speaks == "neither"
    assert found.said == (
        "Two halves of its pictures agree as well as those of random directions as frequent: 0.99, beside 1.00 in the "
        "median."
    )


@pytest.mark.parametrize(
    ("share", "label", "speaks", "said"),
    [
        (0.97, "dogs", "for", "Its direction raises “dogs” most, too."),
        (0.97, "cats", "neither", "Its direction raises “cats” most, which is not its pictures’ commonest label."),
        (
            0.2,
            "dogs",
            "neither",
            "Its direction raises no label clearly: 80\u00a0% of random directions raise one more.",
        ),
        (0.0, "dogs", "neither", "Its direction raises no label clearly: all 512 random directions raise one more."),
    ],
)
def test_the_direction_is_another_witness(
    page: LatentPage, share: float, label: str, speaks: Speaks, said: str
) -> None:
    moved = EffectList((LabelEffect(label, 0.2, 2.0),), (), Standing(share, 2.0, 512))
    purity = by_decile((4,) * 10)
    assert findings(replace(page, effects=moved, purity=purity))[-1] == Finding(speaks, said)


def test_of_few_pictures_and_of_none_nothing_is_concluded(page: LatentPage) -> None:
    named = replace(page, name=LatentName("dog", match="text"), purity=by_decile((4,) * 10))
    assert the_only(replace(named, n_active=11)).said.startswith("11\u00a0pictures: hardly anything can be concluded")
    assert len(findings(replace(named, n_active=12))) == 2
    assert findings(replace(named, ref=replace(named.ref, density=0.0))) == ()
    assert listed(()) == ""


def test_the_page_says_them_before_its_pictures(shown: LatentStore) -> None:
    latent = int(shown.latents["n_active"].argmax())
    html = html_of(run_page("latent", latent=str(latent)))
    found = findings(build_latent(shown, latent))
    assert found and html.count('<ul aria-label="in short">') == 1
    assert html.index("in short") < html.index("Gallery")
    section = listed([Finding("for", "<b>"), Finding("against", "x"), Finding("neither", "y")])
    assert "&lt;b&gt;" in section and "<b>" not in section
    for words in ("speaks for a meaning", "speaks against one", "says neither"):
        assert f'aria-label="{words}"' in section
