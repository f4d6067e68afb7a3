"""How well the demo encoder's towers agree, measured on pictures that were not trained on."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

CONFIDENT = 0.5  # probability of the trunk's best class


@dataclass(frozen=True)
class Quality:
    """Agreement of the text tower with the trunk and with captions, on one set of pictures."""

    n_pictures: int
    n_confident: int  # pictures whose class the trunk gives more than 0.5
    first: float  # share of these where the text tower's first choice among 1000 class names is that class
    among_five: float  # share of these where that class is among its first five
    right_among_ten: float  # share of captions whose picture is among the ten nearest of all pictures
    chance: float  # of right_among_ten
    mean_cosine: float  # between two different pictures: near 1 means a narrow cone


def measure(
    images: Float[Tensor, "n d_embed"],
    captions: Float[Tensor, "n d_embed"],
    class_texts: Float[Tensor, "n_classes d_embed"],
    probabilities: Float[Tensor, "n n_classes"],
) -> Quality:
    """Quality from unit embeddings and the trunk's own class probabilities."""
    n = len(images)
    confidence, best = probabilities.max(-1)
    sure = confidence > CONFIDENT
    choices = (images[sure] @ class_texts.T).topk(5, dim=-1).indices
    hits = choices == best[sure, None]
    similarity = captions @ images.T
    rank = (similarity > similarity.diagonal()[:, None]).sum(-1)
    total = images.sum(0)
    return Quality(
        n_pictures=n,
        n_confident=int(sure.sum()),
        first=hits[:, 0].float().mean().item(),
        among_five=hits.any(-1).float().mean().item(),
        right_among_ten=(rank < 10).float().mean().item(),
        chance=10 / n,
        mean_cosine=float((total @ total - n) / (n * (n - 1))),
    )
