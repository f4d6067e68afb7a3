"""The form of the Pictures page: its fields are the address."""

from __future__ import annotations

from html import escape

from explorer import links
from explorer.definitions import DEFINITIONS
from explorer.sections.fields import text_field
from explorer.sections.parts import help_mark
from explorer.views.latents_query import MAX_TEXT, MAX_WORDS
from explorer.views.pictures import PicturesPage
from explorer.views.pictures_query import FIELDS, Field

_PLACEHOLDERS: dict[Field, str] = {"all_of": "12, 340, or a name", "any_of": "#7 #8", "none_of": "77"}


def form(view: PicturesPage) -> str:
    """What is said of the pictures, then three lists of latents; one button for all. On a phone it folds."""
    lists = "".join(
        f'<label>{escape(said)} <input type="text" name="{field}" value="{escape(view.query.written(field))}" '
        f'maxlength="400" autocomplete="off" placeholder="{_PLACEHOLDERS[field]}"></label>'
        for field, said in FIELDS.items()
    )
    return (
        f'<form class="sp-filter sp-query" action="{links.PICTURES}" method="get" data-form>'
        f"<details{'' if view.tiles else ' open'}><summary>by meaning, words, latents</summary>"
        f'<div class="sp-fields">{_texts(view)}</div><div class="sp-fields">{lists}'
        '<button type="submit" class="sp-copy">find pictures</button></div></details></form>'
    )


def _texts(view: PicturesPage) -> str:
    """Meaning, words, and a label where the store has some."""
    query = view.query
    fields = text_field("text", "meaning", query.text, "a red flower", MAX_TEXT, "sp-meaning")
    mark = help_mark(DEFINITIONS["picture_words"].format(where=where_words_are(view)))
    fields += f"<span>{text_field('q', 'words', query.q, 'tiger', MAX_WORDS)}{mark}</span>"
    if not view.labels:
        return fields
    options = "".join(f'<option value="{escape(label)}"></option>' for label in view.labels)
    label = text_field("label", "label", query.label, "one label", MAX_TEXT, options="sp-labels")
    return f'{fields}{label}<datalist id="sp-labels">{options}</datalist>'


def where_words_are(view: PicturesPage) -> str:
    """`label, caption or file name`, as far as the store has them."""
    where = [*(["label"] if view.labels else []), *(["caption"] if view.has_captions else [])]
    return f"{', '.join(where)} or file name" if where else "file name"
