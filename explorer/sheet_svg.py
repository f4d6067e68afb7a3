"""The figure of `views.sheet` as SVG: pictures inside it, words as text, black on white whatever the theme."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from html import escape

from explorer.views.sheet import N_TOP, PLACES, Sheet, SheetRow
from explorer.views.tiles import Tile
from explorer.wording import activation
from sae_core.store.records import Thumbnail

_SIDE, _GAP, _ROW = 66, 4, 92  # a picture, between two, and a row, in CSS pixels
_WORDS, _MARGIN = 210, 12  # the column of names; around everything
_APART = 14  # between the strongest and those from all of the gallery
_N = N_TOP + len(PLACES)
WIDTH = 2 * _MARGIN + _WORDS + _N * _SIDE + (_N - 1) * _GAP + _APART
_NAME, _FACT = 28, 42  # letters that fit into a line of that column
_INK, _DIM, _EMPTY = "#1a1a1a", "#666666", "#eeeeee"

ReadThumbnail = Callable[[int], Thumbnail | None]


def sheet_svg(sheet: Sheet, thumbnail: ReadThumbnail) -> Iterator[str]:
    """The file in pieces, a row each: its pictures are read as it is sent."""
    top = _MARGIN + (26 if sheet.title else 0)
    first = top + 32
    height = first + _ROW * len(sheet.rows) + 26 + _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f"font-family=\"'Source Sans', 'Source Sans 3', 'Helvetica Neue', Arial, sans-serif\" font-size=\"12\">\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
    )
    if sheet.title:
        yield _text(_MARGIN, _MARGIN + 16, sheet.title, size=17, weight=600)
    yield from _heads(top + 10)
    for number, row in enumerate(sheet.rows):
        yield from _row(row, first + _ROW * number, thumbnail)
    yield _text(_MARGIN, height - _MARGIN - 14, sheet.source, size=10, ink=_DIM)
    yield _text(_MARGIN, height - _MARGIN, sheet.legend, size=10, ink=_DIM) + "</svg>\n"


def _heads(y: int) -> Iterator[str]:
    """What the columns are."""
    yield _text(_left(0), y, "strongest", ink=_DIM)
    yield _text(_left(N_TOP), y, "weaker: after this share of the latent’s pictures", ink=_DIM)
    for column, place in enumerate(PLACES, start=N_TOP):
        yield _text(_left(column) + _SIDE // 2, y + 15, f"{100 * place:.0f} %", size=10, ink=_DIM, anchor="middle")


def _row(row: SheetRow, y: int, thumbnail: ReadThumbnail) -> Iterator[str]:
    name, weight = (row.ref.in_tables or ("withheld" if row.ref.hidden else "unnamed")), 400 if row.ref.by_clip else 600
    yield _text(_MARGIN, y + 16, f"#{row.ref.latent}", ink=_DIM)
    yield _text(_MARGIN, y + 33, _short(name, _NAME), size=14, weight=weight if row.ref.name else 400)
    for line, said in enumerate(row.facts):
        yield _text(_MARGIN, y + 50 + 15 * line, _short(said, _FACT), size=11, ink=_DIM)
    for column, tile in enumerate(row.strongest):
        yield _picture(tile, _left(column), y, thumbnail)
    for column, weaker in enumerate(row.through, start=N_TOP):
        if weaker:
            yield _picture(weaker, _left(column), y, thumbnail)
        elif row.strongest:
            yield _text(_left(column) + _SIDE // 2, y + _SIDE // 2 + 5, "←", size=14, ink=_DIM, anchor="middle")
    yield "\n"


def _picture(tile: Tile, x: int, y: int, thumbnail: ReadThumbnail) -> str:
    """The picture whole, in its square; an empty one where it is withheld or not in the store."""
    found = None if tile.hidden else thumbnail(tile.image_id)
    inside = f'<rect x="{x}" y="{y}" width="{_SIDE}" height="{_SIDE}" fill="{_EMPTY}"/>'
    if found:
        data = base64.b64encode(found.data).decode("ascii")
        inside = (
            f'<image x="{x}" y="{y}" width="{_SIDE}" height="{_SIDE}" href="data:{found.media_type};base64,{data}"/>'
        )
    below = _text(x + _SIDE // 2, y + _SIDE + 12, activation(tile.figure or 0.0), size=10, ink=_DIM, anchor="middle")
    return f"<g><title>{_safe(tile.caption)}</title>{inside}</g>{below}"


def _left(column: int) -> int:
    """Where a column of pictures begins; those from all of the gallery stand apart."""
    return _MARGIN + _WORDS + column * (_SIDE + _GAP) + (_APART if column >= N_TOP else 0)


def _text(x: int, y: int, said: str, *, size: int = 12, weight: int = 400, ink: str = _INK, anchor: str = "") -> str:
    anchored = f' text-anchor="{anchor}"' if anchor else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{ink}"{anchored}>{_safe(said)}</text>\n'
    )


def _short(said: str, longest: int) -> str:
    return said if len(said) <= longest else f"{said[: longest - 1]}…"


def _safe(said: str) -> str:
    """Names come from anybody's folder: what XML forbids, or what turns the writing round, is left out."""
    return escape("".join(letter for letter in said if letter.isprintable() or letter == "\u00a0"))
