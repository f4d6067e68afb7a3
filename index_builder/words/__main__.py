"""Makes the general word list for names: `python -m index_builder.words [--wordnet /usr/share/wordnet]`.

Nouns of WordNet (Debian's wordnet-base) that a picture can show: those that are mostly nouns and whose commonest
meaning is an animal, a thing, a body part, food, an object or phenomenon of nature, a person by role, a plant, a shape
or a substance. Commonest first, as CLIP's own tokenizer saw them: by the rank of their byte pairs, which were learned
from captions of the web. By hand beside this script: colours, textures, styles and scenes (`extra.txt`, first of all),
terms of several words (`compounds.txt`, last), everyday things that are more often verbs or of which the tokenizer has
no piece (`singles.txt`), and what was read in the list and taken out (`left_out.txt`: syllables, first names, rude
words, abstractions).
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

HERE = Path(__file__).parent

# WordNet's lexicographer files: animal, artifact, body, food, object, person, phenomenon, plant, shape, substance.
_VISIBLE = frozenset({"05", "06", "08", "13", "17", "18", "19", "20", "25", "27"})
# Animal, artifact, body, food, plant: a picture shows these even where the word is a verb or an adjective too.
_SURE = frozenset({"05", "06", "08", "13", "20"})
_NOUN = "1"  # as sense keys say it
_MOSTLY = 0.5  # share of a word's uses that must be as a noun
_RUDE = re.compile(
    r"\b(offens\w+|disparag\w+|slurs?|obscen\w+|vulgar \w+|derogat\w+|insult\w*|contempt\w*|slang|sexual\w*|genitals?|"
    r"prostitut\w+|narcotics?|cocaine|excret\w+|feces|homosexual\w*|stupid|penis|vagina|ethnic (group|slur)|jews?|"
    r"negros?|amerindian|indians?|nazis?|rape|rapist|suicid\w*|slaves?|racist|terms? (for|of))\b"
)
_ABSTRACT = re.compile(
    r"\bunit of\b|someone who (believes|advocates|supports)|a person (whose|who is) |adherent|advocate|theor|"
    r"religious (person|group)|hormone|enzyme|protein|isotope|chemical element|radioactive|any of several compounds"
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
    out: Path = WORDS
    """The file to write."""


def main(settings: Settings) -> None:
    """Writes the list."""
    extra, singles, compounds, left_out = map(by_hand, ("extra", "singles", "compounds", "left_out"))
    ranks = SimpleTokenizer().encoder
    elsewhere = OtherUses(settings.wordnet)
    fitting = (sense.lemma for sense in nouns(settings.wordnet) if wanted(sense) and elsewhere.allow(sense))
    words = {*(word for word in fitting if word + _END in ranks), *singles} - {*left_out}
    by_rank = sorted(words, key=lambda word: (ranks.get(word + _END, len(ranks)), word))
    terms = dict.fromkeys([*extra, *by_rank, *compounds])
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    settings.out.write_text("\n".join(terms) + "\n", encoding="utf-8")
    print(f"{settings.out}: {len(terms):,} terms")


def by_hand(name: str) -> list[str]:
    """A list that lies beside this script, one term a line."""
    return [term for term in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines() if term]


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


class OtherUses:
    """What nouns are besides: verbs, adjectives, adverbs, and how often."""

    def __init__(self, wordnet: Path) -> None:
        self._uses: dict[str, Counter[bool]] = defaultdict(Counter)
        for line in (wordnet / "cntlist.rev").read_text().splitlines():
            key, _, n = line.split()
            lemma, _, sense = key.partition("%")
            self._uses[lemma][sense[0] == _NOUN] += int(n)
        self._also: set[str] = set()
        for kind in ("verb", "adj", "adv"):
            lines = (wordnet / f"index.{kind}").read_text().splitlines()
            self._also |= {line.split()[0] for line in lines if not line.startswith("  ")}

    def allow(self, sense: Sense) -> bool:
        """A word that is mostly a noun by its counted uses; without any, a noun only or something surely visible."""
        if uses := self._uses.get(sense.lemma):
            return uses[True] >= _MOSTLY * uses.total()
        return sense.lemma not in self._also or sense.file in _SURE


def wanted(sense: Sense) -> bool:
    """A plain word for something visible."""
    plain = re.fullmatch(r"[a-z]{3,}", sense.lemma) is not None
    return plain and sense.file in _VISIBLE and not _RUDE.search(sense.gloss) and not _ABSTRACT.search(sense.gloss)


if __name__ == "__main__":
    main(tyro.cli(Settings))
