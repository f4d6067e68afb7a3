"""The word list that ships: clean, and as its script says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from index_builder.words.__main__ import OtherUses, Sense, by_hand, nouns, wanted
from sae_core.references import WORDS

TERMS = WORDS.read_text(encoding="utf-8").splitlines()
EVERYDAY = """dog cat bear horse cow sheep pig duck butterfly turtle mushroom panda shark clown firefighter necklace
wine taco bike hammer backpack penguin castle banana forklift sunset watercolour stripes red dress scissors"""
# Syllables that the tokenizer ranks high, first names, rude words, abstractions.
NOT_THESE = """the of still have idea justice theory london january ness ade tor john molly moron gypsy dick redneck
whore negro slave anus innovation"""


def test_every_term_is_short_plain_and_there_once() -> None:
    assert 3_000 < len(TERMS) < 8_000
    assert len(set(TERMS)) == len(TERMS)
    assert all(re.fullmatch(r"[a-z][a-z-]*(?: [a-z-]+){0,4}", term) and len(term) <= 40 for term in TERMS)


def test_it_names_what_pictures_show_and_not_what_they_cannot() -> None:
    assert set(EVERYDAY.split()) - set(TERMS) == set()
    assert set(NOT_THESE.split()) & set(TERMS) == set()
    assert {"traffic light", "black and white photo", "close-up"} <= set(TERMS)


def test_lists_by_hand_are_used() -> None:
    assert TERMS[: len(by_hand("extra"))] == by_hand("extra")
    assert set(by_hand("compounds")) | set(by_hand("singles")) <= set(TERMS)
    assert not set(by_hand("left_out")) & (set(TERMS) - set(by_hand("extra")))


def test_the_script_reads_wordnets_files(tmp_path: Path) -> None:
    (tmp_path / "data.noun").write_text(
        "  licence\n"
        "00000001 05 n 02 dog 0 domestic_dog 0 000 | a member of the genus Canis\n"
        "00000002 09 n 01 idea 0 000 | the content of cognition\n"
        "00000003 05 n 01 Rex 0 000 | a proper name\n"
    )
    (tmp_path / "index.noun").write_text(
        "  licence\n"
        "dog n 1 2 @ ~ 1 1 00000001\ndomestic_dog n 1 0 1 0 00000001\nidea n 1 0 1 1 00000002\nrex n 1 0 1 0 00000003\n"
    )
    found = {sense.lemma: sense for sense in nouns(tmp_path)}
    assert found.keys() == {"dog", "domestic dog", "idea"}  # a name has a capital
    assert found["dog"] == Sense("dog", "05", "a member of the genus Canis")
    assert wanted(found["dog"])
    assert not wanted(found["idea"])


@pytest.mark.parametrize(
    ("gloss", "fits"),
    [
        ("jewelry worn around the neck", True),  # no "jew"
        ("fermented juice of grapes", True),  # no "rape"
        ("an offensive word", False),
        ("(ethnic slur) a person", False),
        ("someone who believes in something", False),
    ],
)
def test_what_a_gloss_excludes(gloss: str, fits: bool) -> None:
    assert wanted(Sense("word", "18", gloss)) is fits


def test_mostly_nouns(tmp_path: Path) -> None:
    (tmp_path / "cntlist.rev").write_text(
        "walk%1:04:00:: 1 3\nwalk%2:38:00:: 1 9\ndog%1:05:00:: 1 9\ndog%2:38:00:: 1 1\n"
    )
    for kind in ("verb", "adj", "adv"):
        (tmp_path / f"index.{kind}").write_text("  licence\nblur v 1\nmushroom v 1\n" if kind == "verb" else "")
    uses = OtherUses(tmp_path)
    assert uses.allow(Sense("dog", "05", ""))
    assert not uses.allow(Sense("walk", "06", ""))
    assert uses.allow(Sense("mushroom", "20", "")), "never counted, but a plant"
    assert not uses.allow(Sense("blur", "19", ""))
    assert uses.allow(Sense("glacier", "17", ""))
