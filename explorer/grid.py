"""Drawing HTML sections into the page."""

from __future__ import annotations

import streamlit as st


def draw(*sections: str) -> None:
    """One HTML element for all sections: Streamlit's cost is per element, not per picture."""
    body = "".join(sections)
    if body:
        st.html(body)
