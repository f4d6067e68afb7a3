"""A page's view as HTML, section by section. No Streamlit here."""
