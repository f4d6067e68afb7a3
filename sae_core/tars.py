"""What a tar holds, and where: its headers are read once, its bytes at random later.

A tar is a foreign file. tarfile lets through what its parsing meets (ValueError, OverflowError, IndexError,
RecursionError), follows a header of negative size back to itself for ever (before Python 3.11.14), and stops without a
word at a damaged header; here all of that is one kind of error.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path


def members(path: Path) -> Iterator[tarfile.TarInfo]:
    """Members in the tar's order. Raises tarfile.TarError or OSError, at the latest at its end, where it is damaged."""
    last = -1
    try:
        with tarfile.open(path, "r:") as tar:
            for info in tar:
                if info.size < 0 or info.offset <= last:
                    raise tarfile.ReadError(f"the header at byte {info.offset:,} leads back")
                last = info.offset
                yield info
            _check_end(path, tar.offset)
    except (tarfile.TarError, OSError):
        raise
    except Exception as error:
        raise tarfile.ReadError(f"a header cannot be read: {str(error) or type(error).__name__}") from error


def _check_end(path: Path, offset: int) -> None:
    """A whole tar has nothing but zeros behind its last member."""
    with open(path, "rb") as file:
        file.seek(offset)
        blocks = iter(lambda: file.read(1 << 20), b"")
        whole = next(blocks, b"x").strip(b"\0") == b"" and not any(block.strip(b"\0") for block in blocks)
    if not whole:
        raise tarfile.ReadError(f"it is damaged at byte {offset:,}, or another tar follows there")
