"""Stores on the hub: a data-set repository holds one, with a card. docs/hub.md."""
