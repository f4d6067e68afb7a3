"""What the address asks of the heat map: `where=LATENT`, `method=`, `deletion=1`, beside what else it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from explorer import links
from explorer.views.paging import whole_number

METHODS = {"occlusion": "occlusion", "gradients": "integrated gradients"}
_OURS = ("where", "method", "deletion")


@dataclass(frozen=True)
class WhereQuery:
    """One question of the address; every change of it keeps the page's other parameters."""

    said: str = ""  # "": no map is asked for
    method: str = "occlusion"
    deletion: bool = False  # whether the deletion test is asked for
    others: Mapping[str, str] = field(default_factory=dict)  # parameters of the page around it

    @property
    def latent(self) -> int:
        """-1 where the address names none."""
        return whole_number(self.said, default=-1)

    def url(self, latent: int | None = None, method: str | None = None, deletion: bool | None = None) -> str:
        """The same question about another latent, by another method, with the test or without."""
        chosen, tested = method or self.method, self.deletion if deletion is None else deletion
        ours = {
            "where": self.said if latent is None else latent,
            "method": None if chosen == "occlusion" else chosen,
            "deletion": 1 if tested else None,
        }
        return links.inspect_with({**self.others, **ours})

    @property
    def without(self) -> str:
        """The page without a map: closes one, and cancels one that is being computed."""
        return links.inspect_with(self.others)


def read_where(params: Mapping[str, str]) -> WhereQuery:
    """Of the address's parameters; an unknown method is occlusion."""
    method = params.get("method", "")
    return WhereQuery(
        said=params.get("where", "").strip().removeprefix("#"),
        method=method if method in METHODS else "occlusion",
        deletion=params.get("deletion") == "1",
        others={key: value for key, value in params.items() if key not in _OURS},
    )
