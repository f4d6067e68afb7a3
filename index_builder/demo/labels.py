"""A few dozen labels for pictures of both sources, from emoji subgroups and clip art folders."""

from __future__ import annotations

from pathlib import Path

_EMOJI_GROUPS = {
    "faces": "face-smiling face-affection face-tongue face-hand face-neutral-skeptical face-sleepy face-unwell face-hat"
    " face-glasses face-concerned face-negative face-costume",
    "cat and monkey faces": "cat-face monkey-face",
    "hearts and emotions": "heart emotion",
    "hands and body": "hand-fingers-open hand-fingers-partial hand-single-finger hand-fingers-closed hands hand-prop"
    " body-parts",
    "people": "person person-gesture person-activity person-resting family person-symbol",
    "people at work": "person-role",
    "fantasy figures": "person-fantasy",
    "sports": "person-sport sport",
    "mammals": "animal-mammal",
    "birds": "animal-bird",
    "reptiles and dinosaurs": "animal-reptile animal-amphibian",
    "sea life": "animal-marine food-marine",
    "insects": "animal-bug",
    "flowers": "plant-flower",
    "plants": "plant-other",
    "fruit": "food-fruit",
    "vegetables": "food-vegetable",
    "meals": "food-prepared food-asian",
    "sweets": "food-sweet",
    "drinks": "drink dishware",
    "maps and landscapes": "place-map place-geographic place-other",
    "buildings": "place-building place-religious hotel",
    "road and rail": "transport-ground",
    "boats": "transport-water",
    "aircraft": "transport-air",
    "clocks": "time",
    "weather and sky": "sky-weather",
    "celebrations": "event award-medal",
    "games and toys": "game",
    "arts and music": "arts-crafts sound music musical-instrument",
    "clothing": "clothing",
    "electronics": "phone computer light-video",
    "books and office": "book-paper mail writing office",
    "money": "money currency",
    "tools": "tool lock",
    "science and medicine": "science medical",
    "household": "household other-object",
    "signs": "transport-sign warning zodiac arrow av-symbol gender other-symbol geometric",
    "religion": "religion",
    "flags": "country-flag subdivision-flag flag",
}
EMOJI = {subgroup: label for label, subgroups in _EMOJI_GROUPS.items() for subgroup in subgroups.split()}

# Longest folder first where several fit. Folders without an entry (icons, shapes, letters, logos, …) are left out.
_CLIPART_FOLDERS = {
    "animals": "animals",
    "animals/amphibian": "reptiles and dinosaurs",
    "animals/dinosaurs": "reptiles and dinosaurs",
    "animals/birds": "birds",
    "animals/bugs": "insects",
    "animals/fish": "sea life",
    "animals/mammals": "mammals",
    "buildings": "buildings",
    "buildings/furniture": "household",
    "containers": "household",
    "education": "books and office",
    "electronics": "electronics",
    "food": "meals",
    "food/beverages": "drinks",
    "food/desserts": "sweets",
    "food/fruit": "fruit",
    "food/vegetables": "vegetables",
    "geography": "maps and landscapes",
    "geography/astronomy": "weather and sky",
    "office": "books and office",
    "people": "people",
    "people/bodypart": "hands and body",
    "people/clothing": "clothing",
    "people/smilies": "faces",
    "plants": "plants",
    "plants/flowers": "flowers",
    "recreation": "games and toys",
    "recreation/games/cards": "playing cards",
    "recreation/holiday": "celebrations",
    "recreation/party": "celebrations",
    "recreation/art": "arts and music",
    "recreation/music": "arts and music",
    "recreation/religion": "religion",
    "recreation/sports": "sports",
    "science": "science and medicine",
    "science/astronomy": "weather and sky",
    "signs_and_symbols": "signs",
    "signs_and_symbols/clocks": "clocks",
    "signs_and_symbols/flags": "flags",
    "signs_and_symbols/map_symbols": "map symbols",
    "signs_and_symbols/money": "money",
    "signs_and_symbols/weather": "weather and sky",
    "tools": "tools",
    "tools/weapons": "weapons",
    "transportation": "road and rail",
    "transportation/aiga-symbols": "signs",
    "transportation/boating": "boats",
    "transportation/roadsigns": "road signs",
}
_LEFT_OUT = ("signs_and_symbols/led", "signs_and_symbols/flags/semaphore")


def clipart_label(name: Path) -> str | None:
    """The label of a clip art file (its path inside the package), None where it is left out."""
    folders = [str(folder) for folder in name.parents]
    if any(folder in _LEFT_OUT for folder in folders):
        return None
    return next((_CLIPART_FOLDERS[folder] for folder in folders if folder in _CLIPART_FOLDERS), None)
