"""Whether other SAEs on the same pictures find a latent again."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from explorer.beside import BESIDE_VARIABLE, stores_beside
from explorer.stores import current_store
from explorer.views.counterparts import Counterparts, Match, counterparts
from sae_core.errors import SparsightError

router = APIRouter(tags=["latents"])


class OtherLatent(BaseModel):
    """A latent of another SAE, beside one of this store."""

    latent: int = Field(description="its number there")
    name: str | None
    cosine: float = Field(description="of the two directions")
    n_both: int = Field(description="images in which both are active")
    jaccard: float = Field(description="that, over images in which at least one is")


class InOther(BaseModel):
    """What one other SAE has."""

    store: str
    sae_fingerprint: str
    nearest: OtherLatent = Field(description="by direction")
    random_cosine: float = Field(description="median of random directions with the images' covariance")
    above_random: float = Field(description="share of them that come less near to any latent of it")
    sharing: OtherLatent | None = Field(description="the one that shares most images; null where none shares any")
    random_jaccard: float | None = Field(description="median of what random directions about as frequent share at most")


class CounterpartsAnswer(BaseModel):
    """In each SAE beside."""

    latent: int
    others: list[InOther]
    problems: list[str] = Field(description="stores that were named and cannot be compared")


@router.get("/latents/{latent}/counterparts")
def counterparts_of(latent: int) -> CounterpartsAnswer:
    """The latents of other SAEs that are most like this one: nearest direction, and most images in common."""
    store = current_store()
    store.gallery_size(latent)  # raises IndexError
    store.check_latents_shown([latent])
    beside = stores_beside(store)
    if not beside.stores and not beside.problems:
        raise SparsightError(f"no other SAE is beside this store: {BESIDE_VARIABLE} names stores of the same images")
    others = [_answer(one) for one in counterparts(store, latent, beside.stores)]
    return CounterpartsAnswer(latent=latent, others=others, problems=list(beside.problems))


def _answer(one: Counterparts) -> InOther:
    return InOther(
        store=one.name,
        sae_fingerprint=one.sae_fingerprint,
        nearest=_other(one.nearest),
        random_cosine=one.standing.median,
        above_random=one.standing.share_below,
        sharing=_other(one.sharing) if one.sharing else None,
        random_jaccard=one.shared_standing.median if one.shared_standing else None,
    )


def _other(one: Match) -> OtherLatent:
    name = one.ref.in_tables or None
    return OtherLatent(latent=one.ref.latent, name=name, cosine=one.cosine, n_both=one.n_both, jaccard=one.jaccard)
