"""Real pages: numbered links, to the very end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Paging:
    """One page of several; pages count from 1."""

    page: int
    n_pages: int
    n_items: int
    per_page: int
    url: Callable[[int], str]

    @property
    def start(self) -> int:
        """Rank of the first item shown, from 0."""
        return (self.page - 1) * self.per_page

    @property
    def stop(self) -> int:
        """Rank after the last item shown."""
        return min(self.start + self.per_page, self.n_items)

    @property
    def shown(self) -> list[int | None]:
        """Page numbers to offer: the ends, this one and its neighbours; None where some are left out."""
        near = {1, self.n_pages, *range(max(self.page - 1, 1), min(self.page + 1, self.n_pages) + 1)}
        numbers: list[int | None] = []
        for number in sorted(near):
            before = numbers[-1] if numbers else 0
            if before is not None and number == before + 2:
                numbers.append(number - 1)
            elif before is not None and number > before + 1:
                numbers.append(None)
            numbers.append(number)
        return numbers


def paging(page: int, n_items: int, per_page: int, url: Callable[[int], str]) -> Paging:
    """A page number out of range becomes the nearest one that exists."""
    n_pages = max(1, -(-n_items // per_page))
    return Paging(min(max(page, 1), n_pages), n_pages, n_items, per_page, url)


def whole_number(said: str | None, default: int) -> int:
    """A parameter of the address; what is no number counts as absent. A latent may be `#340`, as pages write it."""
    text = (said or "").strip().removeprefix("#").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default
