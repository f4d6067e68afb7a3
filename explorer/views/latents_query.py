"""What the Latents page is asked: every field is a parameter of the address, and bad values count as absent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from explorer import links
from explorer.views.address_values import Region, fingerprint, latent_numbers, read_region, share, written
from explorer.views.left_out import left_out, no_numbers
from explorer.views.paging import whole_number

# Each order: what the menu says, the column, and whether small values come first. "" is the query's own order.
SORTS: dict[str, tuple[str, str, bool]] = {
    "striking": ("most striking", "", False),
    "activation": ("strongest activation", "max_activation", False),
    "purity": ("purest label", "label_purity", False),
    "score": ("best name score", "name_score", False),
    "mono": ("most monosemantic", "monosemanticity", False),
    "stable": ("most stable (split half)", "split_half", False),
    "frequent": ("most frequent", "density", False),
    "rare": ("rarest", "density", True),
    "number": ("number", "", True),
}
OF_MANY = frozenset({"purity", "score", "mono", "stable"})  # orders by figures that say little of few pictures
LIVES = {"": "alive and dead", "alive": "alive only", "dead": "dead only"}
NAMES = {"": "any", "good": "good", "borne": "borne out by pictures", "weak": "weak or none"}
AGAINST = {"": "gallery centroids", "directions": "directions"}
_CHECKED = ("by", "image", "again", "sort", "life", "names", "region", "min", "max", "purity", "score", "page")
MAX_WORDS = 100  # characters
MAX_TEXT = 200


@dataclass(frozen=True)
class LatentsQuery:
    """Filters, rankings and order of the grid; "" and None mean not asked."""

    q: str = ""  # words of a name or label, or a number
    label: str = ""  # the latent's most common label, exactly
    text: str = ""  # search by meaning
    by: str = ""  # what the text is compared with: "" centroids, "directions"
    image: int | None = None  # an example picture
    again: str = ""  # the fingerprint of another SAE: by how near its directions come
    tells: str = ""  # a label: by how well being active tells its pictures from the rest
    least: str = ""  # "yes": what it finds least comes first
    sort: str = ""
    life: str = ""
    min: str = ""  # smallest density
    max: str = ""  # largest density
    purity: str = ""  # smallest label purity
    score: str = ""  # smallest name score
    names: str = ""
    region: Region | None = None  # of the map
    latents: tuple[int, ...] = ()  # nothing but these, in this order
    page: int = 1
    left_out: tuple[str, ...] = field(default=(), compare=False)  # what of the address could not be read

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> LatentsQuery:
        """Unknown or impossible values count as absent: an old link still shows a page."""

        def one_of(key: str, allowed: Mapping[str, object]) -> str:
            return params.get(key, "") if params.get(key) in allowed else ""

        image = whole_number(params.get("image"), -1)
        query = cls(
            q=params.get("q", "").strip()[:MAX_WORDS],
            label=params.get("label", "").strip()[:MAX_TEXT],
            text=params.get("text", "").strip()[:MAX_TEXT],
            by=one_of("by", AGAINST),
            image=image if image >= 0 else None,
            again=fingerprint(params.get("again", "")),
            tells=params.get("tells", "").strip()[:MAX_TEXT],
            least=one_of("least", {"yes": ""}) if params.get("again") else "",
            sort=one_of("sort", SORTS),
            life=one_of("life", LIVES),
            names=one_of("names", NAMES),
            region=read_region(params.get("region", "")),
            latents=latent_numbers(params.get("latents", "")),
            page=whole_number(params.get("page"), 1),
            min=share(params.get("min", "")),
            max=share(params.get("max", "")),
            purity=share(params.get("purity", "")),
            score=share(params.get("score", "")),
        )
        unread = left_out(params, {key: getattr(query, key) for key in _CHECKED})
        return replace(query, left_out=(*unread, *no_numbers(params.get("latents", ""))))

    @property
    def params(self) -> dict[str, str]:
        """The parameters that differ from the defaults, without the page."""
        said = {
            one.name: written(getattr(self, one.name))
            for one in fields(self)
            if one.name not in ("page", "left_out") and not (one.name == "by" and not self.text)
        }
        return {key: value for key, value in said.items() if value}

    @property
    def number(self) -> int | None:
        """The latent that `#1234`, `1234` or `1,234` means."""
        found = re.fullmatch(r"#?\s*(\d{1,9}|\d{1,3}(,\d{3}){1,2})", self.q, flags=re.ASCII)
        return int(found.group(1).replace(",", "")) if found else None

    @property
    def filters(self) -> tuple[str, ...]:
        """Names of the fields that narrow or rank, as far as they are asked."""
        return tuple(key for key in self.params if key not in ("sort", "by", "least"))

    def without(self, *names: str) -> LatentsQuery:
        """The same, not asking for these fields; from the first page."""
        plain = LatentsQuery()
        dropped = (*names, "page", *(("least",) if "again" in names else ()))
        return replace(self, **{name: getattr(plain, name) for name in dropped})

    def turned(self) -> LatentsQuery:
        """The other end of what another SAE finds again first."""
        return replace(self, least="" if self.least else "yes", sort="", page=1)

    def by_meaning(self) -> LatentsQuery:
        """The same words by their meaning, nearest first; what narrows stays."""
        return replace(self, q="", text=self.q, image=None, again="", tells="", least="", sort="", page=1)

    def url(self, page: int = 1) -> str:
        """The address that asks for this."""
        return links.latents_url(self.params, page)
