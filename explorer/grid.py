"""Drawing HTML sections into the page."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import streamlit as st


def draw(*sections: str) -> None:
    """One HTML element for all sections: Streamlit's cost is per element, not per picture."""
    body = "".join(sections)
    if body:
        st.html(body)


def waiting(height: int, slow: bool = True) -> AbstractContextManager[object]:
    """A skeleton of `height` pixels where what follows is slow; nothing otherwise, which would only flicker."""
    return st.skeleton(height=height) if slow else nullcontext()
