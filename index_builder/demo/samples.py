"""What the two picture sources say about each picture: caption, label, tags."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index_builder.demo import labels
from index_builder.demo.packages import CLIPART, CLIPART_NAMES, EMOJI, EMOJI_NAMES

_SKIN_TONES = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}
_AUTHORS = re.compile(
    r"\b(ganson|nicu buc\w*|jon phillips|architetto.*|linda kim|aiga|lumen desig|benji p\w*|v0 1|jean victor.*"
    r"|francesco rollan.*|mike honey\w*|enrique meza.*|\w+ symbol 1m bwh|dave pena|guillo r|yves|mo|nubldoff|nurbldoff"
    r"|openclip\w*|alex kuehne|kurt cagle|jarno vas\w*|juliane krug|patricia f\w*|gerald g\w*|sergio luiz.*)\b"
)
_NOISE_TAGS = re.compile(
    r"(hash|0x.*|icons?|appicon|logo|signs?( and symbols)?|symbol|cartoon|clip ?art|colou?r|unsorted|mapsym|menu|\w"
    r"|foodfruits|united nations member|recreation|transportation|geography|activities|computer|linux|misc|)"
)
_SUITS = {"c": "clubs", "d": "diamonds", "h": "hearts", "s": "spades"}
_RANKS = {"a": "ace", "j": "jack", "q": "queen", "k": "king"}


@dataclass(frozen=True)
class Sample:
    """One picture of a source, before it is looked at."""

    key: str  # ascii, stable
    path: Path
    caption: str
    label: str
    tags: tuple[str, ...]
    license: str
    source: str  # package and the file's name in it


def emoji_samples(scratch: Path) -> Iterator[Sample]:
    """Fluent emoji without skin-tone variants and without letters, digits and the like."""
    english = EMOJI_NAMES.folder(scratch) / "package" / "en"
    names = {_code(entry["hexcode"]): entry for entry in json.loads((english / "data.json").read_text())}
    messages = json.loads((english / "messages.json").read_text())
    groups = {group["order"]: group["key"] for group in messages["subgroups"]}
    for path in sorted((EMOJI.folder(scratch) / "package" / "assets").glob("*.webp")):
        entry = names.get(_code(path.stem))
        if entry and "subgroup" in entry and not _SKIN_TONES & set(path.stem.split("-")):
            label = labels.EMOJI.get(groups[entry["subgroup"]])
            if label:
                yield _emoji_sample(path, entry, label)


def _emoji_sample(path: Path, entry: dict[str, Any], label: str) -> Sample:
    caption = re.sub(r"^flag: ", "flag of ", entry["label"]).replace("“", "").replace("”", "")
    tags = tuple(tag for tag in entry.get("tags", ()) if len(tag) > 2)
    source = f"{EMOJI.name}/assets/{path.name}"
    return Sample(f"emoji_{path.stem.replace('-', '_')}", path, caption, label, tags, "MIT", source)


def _code(text: str) -> str:
    """Code points without variation selectors, which the two packages write differently."""
    return "-".join(part for part in text.lower().split("-") if part != "fe0f")


def clipart_samples(scratch: Path) -> Iterator[Sample]:
    """Open clip art in the folders that have a label; the same picture may come more than once."""
    root = CLIPART.folder(scratch) / "usr/share/openclipart/png"
    drawings = CLIPART_NAMES.folder(scratch) / "usr/share/openclipart/svg"
    found = [(path, labels.clipart_label(path.relative_to(root))) for path in sorted(root.rglob("*.png"))]
    kept = [(path, label) for path, label in found if label]
    facts = [_drawing_facts(drawings / path.relative_to(root).with_suffix(".svg")) for path, _ in kept]
    counts = Counter(tag for _, tags in facts for tag in tags)
    for (path, label), (title, tags) in zip(kept, facts, strict=True):
        name = path.relative_to(root)
        caption = _clipart_caption(name, label, title, sorted(tags, key=lambda tag: counts[tag]))
        key = "clipart_" + re.sub(r"[^a-z0-9]+", "_", str(name.with_suffix("")).lower()).strip("_")
        yield Sample(key, path, caption, label, tags, "Public domain", f"{CLIPART.name}/{name}")


def _drawing_facts(path: Path) -> tuple[str, tuple[str, ...]]:
    """Title and keywords out of a drawing's metadata, which is often no valid XML."""
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    title = re.search(r"<dc:title>([^<]*)</dc:title>", text)
    keywords = [_words(html.unescape(word)) for word in re.findall(r"<rdf:li[^>]*>([^<]*)</rdf:li>", text)]
    tags = dict.fromkeys(word for word in keywords if not _NOISE_TAGS.fullmatch(word))
    return " ".join(html.unescape(title[1]).split()) if title else "", tuple(tags)


def _clipart_caption(name: Path, label: str, title: str, tags: list[str]) -> str:
    """The title where it is this picture's own (many are a whole collection's), else the file name; then two tags."""
    card = re.fullmatch(r"\w+_([cdhs])_(\w+)", name.stem)
    if "cards" in name.parts and card:
        return f"{_RANKS.get(card[2], card[2])} of {_SUITS[card[1]]}, playing card"
    own = _letters(name.stem).startswith(_letters(title)[:12]) and len(_letters(title)) > 1
    words = _words(title if own else name.stem) or label
    if "flags" in name.parts and "flag" not in words:
        words = f"flag of {words}"
    elif "map_symbols" in name.parts or "aiga-symbols" in name.parts:
        words = f"{words} sign"
    extra = [tag for tag in tags if tag not in words and tag.rstrip("s") not in words][:2]
    return ", ".join([words, *extra])


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _words(text: str) -> str:
    """Plain lower-case words: no underscores, authors, version numbers."""
    words = re.sub(r"\bb ?(and|n)? ?w\b|\bbw\b", "black and white", re.sub(r"[\W_]+", " ", text.lower()).strip())
    words = _AUTHORS.sub("", words)
    return " ".join(re.sub(r"(\b|(?<=[a-z]))\d+[a-z]?$", "", words.strip()).split())
