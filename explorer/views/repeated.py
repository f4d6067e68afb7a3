"""Parameters that the address repeats: `all_of=62&all_of=793` says what `all_of=62,793` says."""

from __future__ import annotations

from typing import Protocol


class Address(Protocol):
    """What Streamlit gives of an address."""

    def to_dict(self) -> dict[str, str]:
        """Every parameter; of a repeated one the last value alone."""

    def get_all(self, key: str) -> list[str]:
        """Every value of one parameter, in order; empty where it is absent."""


def joined(address: Address, *lists: str) -> dict[str, str]:
    """The parameters of a page, those that are lists with all their values, commas between them."""
    said = {key: ",".join(values) for key in lists if (values := address.get_all(key))}
    return {**address.to_dict(), **said}
