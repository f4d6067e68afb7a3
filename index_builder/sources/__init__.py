"""Where pictures come from. A source lists its keys once, in a fixed order, and reads any of them at any time."""

from index_builder.sources.base import RawPicture, Source, listing_sha256
from index_builder.sources.opening import open_source

__all__ = ["RawPicture", "Source", "listing_sha256", "open_source"]
