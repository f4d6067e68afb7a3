"""Names and notes from people, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from explorer import links
from explorer.directions import isolated
from explorer.notes.records import Change, Comparison, Note, Preview, Words
from explorer.sections import parts
from explorer.sections.cards import strip
from explorer.sections.header import sentence
from explorer.sections.pager import pager
from explorer.views.notes import NotedLatent, NotesPage
from explorer.wording import plural

_KINDS = {"edit": "", "undo": "undone: back to ", "import": "imported: "}
_SHOWN = 12  # conflicts that a preview spells out


def noted(note: Note) -> str:
    """The note under a latent's title; nothing where there is none."""
    if not note.text:
        return ""
    when = parts.dim(f"a person's note, {when_text(note.changed_at)}")
    return f'<div class="sp-noted"><p>{escape(isolated(note.text))}</p>{when}</div>'


def why_read_only(reason: str) -> str:
    """Why there is no form, where that was nobody's wish."""
    return "" if reason == "This explorer is read-only." else f"<p>{parts.dim(sentence(reason))}</p>"


def not_saved(said: str) -> str:
    """A save or undo that was refused."""
    return f'<p class="sp-refused" role="alert">{escape(sentence(said))}</p>'


def outcome(said: str, done: bool) -> str:
    """What an import came to."""
    return f'<p role="status">{escape(sentence(said))}</p>' if done else not_saved(said)


def conflict(mine: Words, theirs: Note) -> str:
    """Somebody was faster: both versions."""
    when = when_text(theirs.changed_at)
    return (
        f'<div class="sp-note sp-conflict" role="alert"><h2>Not saved: somebody changed this meanwhile</h2>'
        f'<dl class="sp-list"><dt>there now</dt><dd>{_words(theirs.name, theirs.text)} {parts.dim(when)}</dd>'
        f"<dt>yours</dt><dd>{_words(mine.name, mine.text)}</dd></dl></div>"
    )


def history(changes: Sequence[Change]) -> str:
    """The latest changes of a latent."""
    if not changes:
        return ""
    rows = "".join(
        f"<li>{parts.dim(when_text(change.changed_at))} {_KINDS[change.kind]}{_words(change.name, change.text)}</li>"
        for change in changes
    )
    return f'<details class="sp-history"><summary>latest changes</summary><ul>{rows}</ul></details>'


def overview(view: NotesPage) -> str:
    """How many there are, where they lie, and the file to keep."""
    said = plural(view.paging.n_items, "latent") + " named or noted by people"
    save = (
        f'<a class="sp-copy" href="{links.NOTES_FILE}" download>download all (JSON)</a>' if view.paging.n_items else ""
    )
    why = f"<p>{parts.dim(sentence(view.read_only))}</p>" if view.read_only else ""
    return (
        f'<div class="sp-title"><h1>Names and notes</h1><div class="sp-tools">{save}</div></div>'
        f'<p class="sp-lead">{said}. They belong to the SAE (fingerprint {view.sae[:12]}), lie in '
        f"<code>{escape(view.file)}</code>, not in the store, and outlive a new build of it.</p>{why}"
    )


def problem(said: str) -> str:
    """Notes that cannot be read: the app goes on without them."""
    return parts.note(
        "The notes cannot be shown", f"<p>{escape(sentence(said))} Everything else works without them.</p>"
    )


def noted_latents(view: NotesPage) -> str:
    """Every latent with a name or note, with its pictures."""
    if not view.latents:
        everyone = f'<a href="{links.LATENTS}">All latents</a>'
        return parts.note(
            "Nobody has named a latent yet",
            f"<p>Open a latent and choose “edit” beside its title.</p><p>{everyone}</p>"
            if not view.read_only
            else f"<p>{everyone}</p>",
        )
    rows = "".join(_row(one) for one in view.latents)
    return f'<section class="sp-notes" data-spa>{rows}{pager(view.paging, "the notes")}</section>'


def preview(found: Preview) -> str:
    """What an import would do, before anything is written."""
    counts = f"{len(found.new)} new, {len(found.same)} the same, {len(found.conflicting)} conflicting"
    shown = "".join(_compared(one) for one in found.conflicting[:_SHOWN])
    more = len(found.conflicting) - _SHOWN
    rest = f"<p>{parts.dim(f'and {more:,} more')}</p>" if more > 0 else ""
    return f'<p class="sp-lead">This file: {counts}.</p><dl class="sp-list" data-spa>{shown}</dl>{rest}'


def when_text(moment: datetime | None) -> str:
    """`2026-03-01 14:05 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _row(one: NotedLatent) -> str:
    said = f"<p>{escape(isolated(one.note.text))}</p>" if one.note.text else ""
    return (
        f'<div class="sp-noterow">{strip(one.card)}<div><div class="sp-line">{parts.latent_link(one.card.ref)}'
        f"{parts.dim(when_text(one.note.changed_at))}</div>{said}</div></div>"
    )


def _compared(one: Comparison) -> str:
    latent = one.mine.latent
    return (
        f'<dt><a href="{links.latent_url(latent)}">#{latent}</a></dt>'
        f"<dd>mine: {_words(one.mine.name, one.mine.text)}<br>theirs: {_words(*one.theirs)}</dd>"
    )


def _words(name: str | None, text: str | None) -> str:
    said: Iterable[str] = (f"<b>{escape(isolated(name))}</b>" if name else "", escape(isolated(_short(text or ""))))
    return " · ".join(part for part in said if part) or "<i>nothing</i>"


def _short(text: str, n: int = 160) -> str:
    return text if len(text) <= n else f"{text[: n - 1]}…"
