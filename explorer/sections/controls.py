"""The Quality page's comparison of latents with controls."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections import parts
from explorer.views.control_rows import Against, Verdict
from explorer.views.controls import Controls, Example
from explorer.wording import CONTROLS, NBSP, plural

_MARKS: dict[Verdict, tuple[str, str]] = {
    "higher": ("↑", "the latents are higher"),
    "unclear": ("≈", "no clear difference"),
    "lower": ("↓", "the latents are lower"),
}
_OLDER = (
    "This store does not say whether its controls were weighted as latents are, which older builds did not do: "
    "“python -m index_builder recode STORE --out NEW”, or a build with --reuse, makes these figures anew and encodes "
    "no picture."
)
_HEADS = {"latent": "own directions", "covariance": "random, as pictures vary", "isotropic": "random, isotropic"}


def comparison(view: Controls) -> str:
    """The latents beside the controls, and some random ones to look at."""
    examples = "".join(_examples(kind, shown) for kind, shown in view.examples.items() if shown)
    rule = f"<p>{parts.dim(view.rule)}</p>" if examples else ""
    older = "" if view.current else f"<p>{parts.dim(_OLDER)}</p>"
    return (
        f"<section data-spa>{parts.head('Does it take an SAE?', DEFINITIONS['controls'])}"
        f"<p>{escape(view.sentence)}</p>{older}{_by_kind(view)}{_by_density(view)}{examples}{rule}</section>"
    )


def _by_kind(view: Controls) -> str:
    heads = "".join(f'<th scope="col">{_HEADS[kind]}</th>' for kind in view.kinds)
    rows = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th><td>{row.latents}</td>'
        f"{''.join(f'<td>{_cell(row.against[kind])}</td>' for kind in view.kinds)}</tr>"
        for row in view.rows
    )
    rows += "".join(
        f'<tr><th scope="row">{escape(row.name)}</th><td>{escape(row.latents)}</td>'
        f"{''.join(f'<td>{escape(row.controls[kind])}</td>' for kind in view.kinds)}</tr>"
        for row in view.variety
    )
    top = f'<tr><td></td><th scope="col">latents</th>{heads}</tr>'
    saved = f'<div class="sp-saves sp-controls"><a class="sp-copy" href="{links.CONTROLS_FILE}" download>CSV</a></div>'
    said = (
        f"Means of {plural(view.n, 'latent')}, drawn, and of as many controls that are as frequent; under each how the "
        f"latents differ from it, with 95 % bounds each: of {len(view.rows) * len(view.kinds)} such differences "
        f"about one in twenty is chance. {_CAUTION}"
    )
    return f"{_table(top, rows)}{saved}<p>{parts.dim(said)}</p>"


_CAUTION = (
    "Where they are not higher, the figure is no evidence for them; that does not make them meaningless, since "
    "pictures far along any direction share several concepts at once, and are alike for that. Directions that find the "
    "same large label again and again are pure each time; the last rows show it."
)


def _by_density(view: Controls) -> str:
    """The same beside the harder control, for rare and for frequent latents."""
    if not view.groups:
        return ""
    heads = "".join(f'<th scope="col">{said} pictures</th>' for said in view.groups)
    rows = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th>{"".join(map(_group, row.by_density))}</tr>' for row in view.rows
    )
    name = CONTROLS["covariance"]
    title = f'<h3 class="sp-sub">Beside {name}, by density</h3>'
    return f"{title}{_table(f'<tr><td></td>{heads}</tr>', rows)}"


def _group(one: Against | None) -> str:
    return f"<td>{_differs(one) if one else '–'}</td>"


def _table(top: str, rows: str) -> str:
    return f'<table class="sp-table sp-controls"><thead>{top}</thead><tbody>{rows}</tbody></table>'


def _cell(one: Against) -> str:
    return f'{one.mean}<div class="sp-dim">{_differs(one)}</div>'


def _differs(one: Against) -> str:
    mark, said = _MARKS[one.verdict]
    tip = f"{said}; {plural(one.n, 'pair')} of equal density"
    return f'<span role="img" aria-label="{said}" data-tip="{escape(tip)}">{mark}</span>{NBSP}{one.difference}'


def _examples(kind: str, shown: tuple[Example, ...]) -> str:
    name = CONTROLS[kind]
    return (
        f'<h3 class="sp-sub">{name[:1].upper()}{name[1:]}</h3>'
        f'<div class="sp-strips">{"".join(map(_example, shown))}</div>'
    )


def _example(one: Example) -> str:
    pictures = "".join(parts.picture(tile, 72) for tile in one.tiles)
    name = f"<b>{escape(one.name.text)}</b>" if one.name.text else f'<i data-tip="{escape(one.name.hint)}">unnamed</i>'
    return (
        f'<div class="sp-stripcard"><span class="sp-strip">{pictures}</span>'
        f'<div class="sp-line"><span>{name}</span>{parts.dim(one.figures)}</div></div>'
    )
