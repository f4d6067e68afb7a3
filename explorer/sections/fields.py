"""Fields of the forms whose fields are the address."""

from __future__ import annotations

from html import escape


def text_field(
    name: str, label: str, value: str, placeholder: str, longest: int, kind: str = "", options: str = ""
) -> str:
    """One line of text, `longest` characters at most; `options` is the id of the list of what is known."""
    listed = f' list="{options}"' if options else ""
    return (
        f'<label class="{kind}">{escape(label)} <input type="search" name="{name}" value="{escape(value)}" '
        f'maxlength="{longest}" placeholder="{escape(placeholder)}" autocomplete="off"{listed} '
        f'aria-label="{escape(label)}"></label>'
    )
