"""What the Spans page is asked, as the address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from explorer import links
from explorer.views.left_out import left_out
from explorer.views.paging import whole_number

MIN_N, MAX_N, USUAL_N = 10, 200, 50
OWN = ("of", "n", "centred", "j", "seed")  # parameters that are read here
SIZES = (20, 50, 100, 200)  # offered on the page


@dataclass(frozen=True)
class SpansQuery:
    """The choice of pictures and how it is looked at; what other sections ask is carried along."""

    of: str = ""  # the choice, as it was said
    n: int = USUAL_N  # pictures of a neighbourhood
    centred: bool = True  # energies are measured from the store's mean
    j: int | None = None  # directions that the energies are told for; None: as many as every curve has
    seed: int = 0  # of random pictures and latents
    others: tuple[tuple[str, str], ...] = ()  # parameters of other sections
    left_out: tuple[str, ...] = field(default=(), compare=False)  # what of the address could not be read

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> SpansQuery:
        """Sizes out of range are moved into it; anything unreadable is the usual."""
        n = whole_number(params.get("n"), USUAL_N)
        return cls(
            of=params.get("of", "").strip(),
            n=min(max(n, MIN_N), MAX_N),
            centred=params.get("centred") != "0",
            j=whole_number(params.get("j"), 0) or None,
            seed=whole_number(params.get("seed"), 0),
            others=tuple((key, value) for key, value in params.items() if key not in OWN),
            left_out=left_out(params, {"n": "", "j": "", "seed": ""}),
        )

    @property
    def params(self) -> dict[str, object]:
        """Only what differs from the usual."""
        return {
            "of": self.of,
            "n": None if self.n == USUAL_N else self.n,
            "centred": None if self.centred else 0,
            "j": self.j,
            "seed": self.seed or None,
            **dict(self.others),
        }

    def url(self, **changes: object) -> str:
        """The address of the same with other settings."""
        return links.spans_url(replace(self, **changes).params)  # type: ignore[arg-type]
