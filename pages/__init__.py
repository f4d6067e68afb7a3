"""One thin file a page: read the address, build a view, draw it."""
