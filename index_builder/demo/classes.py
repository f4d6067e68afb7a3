"""ImageNet's classes in everyday words: a person types "dog", no breed."""

from __future__ import annotations

from collections import defaultdict

from timm.data.imagenet_info import ImageNetInfo

# ImageNet-1k is ordered by WordNet, so that most everyday words are runs of classes (both ends included).
_RUNS: dict[str, list[tuple[int, int]]] = {
    "fish": [(0, 6), (389, 397)],
    "shark": [(2, 4)],
    "bird": [(7, 24), (80, 100), (127, 146)],
    "frog": [(30, 32)],
    "turtle": [(33, 37)],
    "lizard": [(38, 48)],
    "crocodile": [(49, 50)],
    "snake": [(52, 68)],
    "spider": [(72, 77)],
    "duck": [(97, 98)],
    "crab": [(118, 121)],
    "whale": [(147, 148)],
    "dog": [(151, 268)],
    "puppy": [(151, 268)],
    "wolf": [(269, 272)],
    "fox": [(277, 280)],
    "cat": [(281, 285)],
    "kitten": [(281, 285)],
    "big cat": [(286, 293)],
    "bear": [(294, 297)],
    "insect": [(300, 326)],
    "beetle": [(300, 307)],
    "butterfly": [(321, 326)],
    "rabbit": [(330, 332)],
    "horse": [(339, 339)],
    "pig": [(341, 343)],
    "cow": [(345, 347)],
    "sheep": [(348, 349)],
    "goat": [(350, 350)],
    "monkey": [(370, 382)],
    "ape": [(365, 369)],
    "elephant": [(385, 386), (101, 101)],
    "animal": [(0, 397)],
    "plane": [(404, 404), (895, 895)],
    "car": [(407, 407), (436, 436), (468, 468), (511, 511), (581, 581), (656, 656), (661, 661), (751, 751), (817, 817)],
    "boat": [
        (472, 472),
        (554, 554),
        (576, 576),
        (625, 625),
        (724, 724),
        (780, 780),
        (814, 814),
        (871, 871),
        (914, 914),
    ],
    "motorcycle": [(665, 665), (670, 670)],
    "bicycle": [(444, 444), (671, 671)],
    "rocket": [(657, 657), (744, 744), (812, 812)],
    "train": [(466, 466), (547, 547), (565, 565), (705, 705), (820, 820)],
    "bus": [(654, 654), (779, 779), (874, 874)],
    "truck": [(555, 555), (569, 569), (675, 675), (717, 717), (864, 864), (867, 867)],
    "building": [(425, 425), (497, 498), (660, 660), (663, 663), (668, 668), (698, 698), (832, 832)],
    "cup of coffee": [(504, 504), (967, 968)],
    "coffee": [(504, 505), (967, 967)],
    "drink": [(967, 969), (440, 441), (966, 966)],
    "food": [(924, 969)],
    "fruit": [(948, 957)],
    "vegetable": [(936, 947)],
    "flower": [(985, 986)],
    "mushroom": [(991, 997)],
    "tree": [(970, 970), (984, 984), (988, 990)],
    "phone": [(487, 487), (528, 528), (707, 707)],
    "computer": [(527, 527), (590, 590), (620, 620), (664, 664), (681, 681)],
    "clock": [(409, 409), (530, 530), (892, 892)],
    "camera": [(732, 732), (759, 759), (872, 872)],
    "guitar": [(402, 402), (546, 546)],
    "house": [(448, 448), (580, 580), (425, 425), (663, 663)],
    "beach": [(978, 978)],
    "mountain": [(970, 970), (980, 980)],
    "helmet": [(518, 518), (560, 560), (715, 715)],
    "hat": [(515, 515), (808, 808), (439, 439)],
    "shoe": [(770, 770), (630, 630), (788, 788), (774, 774)],
}
_LARGEST = 150  # classes in a group taken from the names


def class_names() -> list[list[str]]:
    """The synonyms of each ImageNet-1k class, the usual one first."""
    info = ImageNetInfo()
    return [info.index_to_description(index).split(", ") for index in range(1000)]


def class_groups() -> dict[str, list[int]]:
    """Everyday words with their classes: the runs above, and last words that several class names share."""
    groups: dict[str, set[int]] = defaultdict(set)
    for index, synonyms in enumerate(class_names()):
        for synonym in synonyms:
            groups[synonym.lower().split()[-1]].add(index)
    shared = {word: found for word, found in groups.items() if 2 <= len(found) <= _LARGEST and len(word) > 2}
    runs = {word: {index for first, last in some for index in range(first, last + 1)} for word, some in _RUNS.items()}
    return {word: sorted(found) for word, found in (shared | runs).items()}
