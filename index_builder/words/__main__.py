"""Makes the general word list for names: `python -m index_builder.words [--wordnet /usr/share/wordnet]`.

Nouns of WordNet (Debian's wordnet-base) that a picture can show: those that are mostly nouns and whose commonest
meaning is an animal, a thing, a body part, food, an object or phenomenon of nature, a person by role, a plant, a shape
or a substance. Commonest first, as CLIP's own tokenizer saw them: by the rank of their byte pairs, which were learned
from captions of the web. Colours, textures, styles and scenes come first, from `extra.txt`, by hand.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import tyro
from open_clip.tokenizer import SimpleTokenizer

from sae_core.references import WORDS

EXTRA = Path(__file__).with_name("extra.txt")

# WordNet's lexicographer files: animal, artifact, body, food, object, person, phenomenon, plant, shape, substance.
_VISIBLE = frozenset({"05", "06", "08", "13", "17", "18", "19", "20", "25", "27"})
_PERSON = "18"
_NOUN = "1"  # as sense keys say it
_MOSTLY = 0.6  # share of a word's uses that must be as a noun
_RUDE = re.compile(
    r"offens|disparag|slur|obscen|vulgar|derogat|insult|contempt|slang|sexual|genital|prostitut|narcotic|drug|excret|"
    r"feces|homosexual|stupid|penis|vagina|ethnic|jew|negro|indian|a member of|nazi|rape|suicid|slave"
)
_ABSTRACT = re.compile(
    r"unit of|someone who (believes|advocates|supports)|a person (whose|who is) |adherent|advocate|theor"
)
_END = "</w>"


class Sense(NamedTuple):
    """The commonest meaning of a noun."""

    lemma: str
    file: str
    gloss: str


@dataclass(frozen=True)
class Settings:
    """How the list is made."""

    wordnet: Path = Path("/usr/share/wordnet")
    """Folder with index.noun and data.noun."""
    singles: int = 4_000
    """Words."""
    compounds: int = 600
    """Terms of two words."""
    out: Path = WORDS
    """The file to write."""


def main(settings: Settings) -> None:
    """Writes the list."""
    ranks = SimpleTokenizer().encoder
    others = other_uses(settings.wordnet)
    senses = [s for s in nouns(settings.wordnet) if wanted(s) and s.lemma not in others]
    singles = sorted((ranks[s.lemma + _END], s.lemma) for s in senses if s.lemma + _END in ranks)
    things = [sense for sense in senses if sense.file != _PERSON]
    compounds = sorted((max(parts), s.lemma) for s in things if (parts := _parts(s.lemma, ranks)))
    extra = EXTRA.read_text(encoding="utf-8").splitlines()
    chosen = [word for _, word in singles[: settings.singles]] + [term for _, term in compounds[: settings.compounds]]
    terms = dict.fromkeys([*filter(None, extra), *chosen])
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    settings.out.write_text("\n".join(terms) + "\n", encoding="utf-8")
    print(f"{settings.out}: {len(terms):,} terms")


def nouns(wordnet: Path) -> Iterator[Sense]:
    """Every noun with its commonest meaning."""
    glosses: dict[str, tuple[str, str, str]] = {}
    for line in (wordnet / "data.noun").read_text().splitlines():
        if not line.startswith("  "):
            fields, _, gloss = line.partition(" | ")
            offset, file, *rest = fields.split(" ")
            glosses[offset] = (file, gloss, " ".join(rest))
    for line in (wordnet / "index.noun").read_text().splitlines():
        if not line.startswith("  "):
            fields_ = line.split()
            lemma, n_pointers = fields_[0], int(fields_[3])
            file, gloss, words = glosses[fields_[6 + n_pointers]]
            if f" {lemma} " in f" {words} ":  # as written there: proper names have capitals
                yield Sense(lemma.replace("_", " "), file, gloss)


def other_uses(wordnet: Path) -> set[str]:
    """Words that are not mostly nouns: by their counted uses; without any, those that are another kind of word too."""
    uses: dict[str, Counter[bool]] = defaultdict(Counter)
    for line in (wordnet / "cntlist.rev").read_text().splitlines():
        key, _, n = line.split()
        lemma, _, sense = key.partition("%")
        uses[lemma][sense[0] == _NOUN] += int(n)
    also = set()
    for kind in ("verb", "adj", "adv"):
        lines = (wordnet / f"index.{kind}").read_text().splitlines()
        also |= {line.split()[0] for line in lines if not line.startswith("  ")}
    rare = {lemma for lemma in also if lemma not in uses}
    return rare | {lemma for lemma, n in uses.items() if n[True] < _MOSTLY * n.total()}


def wanted(sense: Sense) -> bool:
    """A plain word for something visible."""
    plain = re.fullmatch(r"[a-z]{3,}(?: [a-z]{3,})?", sense.lemma) is not None
    return plain and sense.file in _VISIBLE and not _RUDE.search(sense.gloss) and not _ABSTRACT.search(sense.gloss)


def _parts(term: str, ranks: dict[str, int]) -> tuple[int, ...]:
    """Ranks of both words of a compound; empty for anything else."""
    words = term.split()
    known = len(words) == 2 and all(word + _END in ranks for word in words)
    return tuple(ranks[word + _END] for word in words) if known else ()


if __name__ == "__main__":
    main(tyro.cli(Settings))
