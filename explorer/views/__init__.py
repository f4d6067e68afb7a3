"""What each page shows: a frozen dataclass and the function that builds it from a store. No Streamlit here."""
