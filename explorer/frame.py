"""The frame around every page: style, link script, header, and what is shown when there is no store."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.login import login_required
from explorer.sections import header as sections
from sae_core import LatentStore
from sae_core.errors import SparsightError

STATIC = Path(__file__).parent / "static"
# One style sheet; of rules that are equally specific the later one holds, so a phone's come after the pages'.
STYLES = (
    "frame",
    "parts",
    "latents",
    "latent",
    "home",
    "inspect",
    "compare",
    "lists",
    "map",
    "quality",
    "notes",
    "states",
    "phone",
    "widgets",
    "print",
)
# One script, one scope; the last mounts all.
SCRIPTS = (
    "lists",
    "skip",
    "save",
    "figure",
    "points",
    "edit",
    "typed",
    "paste",
    "map_gl",
    "map",
    "map_look",
    "map_hands",
    "map_select",
    "map_panel",
    "links",
)


def begin() -> None:
    """Page configuration, style and the link script; first of all on every run."""
    st.set_page_config(page_title="Sparsight", layout="wide", initial_sidebar_state="collapsed")
    st.html(_style())
    _link_script()(key="link-script")


def title(text: str) -> None:
    """What the browser's tab says."""
    st.set_page_config(page_title=f"{text} · Sparsight")


def header(url_path: str, store: LatentStore | None) -> None:
    """The store's name and size, the pages, the search box."""
    query = st.query_params.get("q", "") if url_path == "latents" else ""
    st.html(sections.header(url_path, store, query, log_out=login_required()))


def failure(error: SparsightError) -> None:
    """What is wrong, all of it, and the command that mends it."""
    st.html(sections.failure(error))


@cache
def _style() -> str:
    """One element for all files, which Streamlit puts where it takes no room on the page."""
    return f"<style>{_joined(STYLES, 'css')}</style>"


@cache
def _link_script() -> Any:
    """Registered once a process: a second registration under the same name is a warning."""
    return st.components.v2.component("sparsight-links", js=_joined(SCRIPTS, "js"))


def _joined(names: Sequence[str], suffix: str) -> str:
    return "\n".join((STATIC / f"{name}.{suffix}").read_text(encoding="utf-8") for name in names)
