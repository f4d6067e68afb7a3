"""What the demo encoder's training minimises.

Contrastive: CLIP's loss (arXiv 2103.00020) on pictures and their texts. Distillation: the trunk's own ImageNet softmax
teaches cosine(picture, text of a class name) over sampled classes, and cosine(picture, an everyday word for several
classes) over the step's pictures. It sees besides the pictures' features also features pushed towards random classes,
so that classes no picture shows are learned too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from index_builder.demo.classes import class_groups, class_names
from index_builder.demo.texts import in_template
from index_builder.demo.towers import TwoTowers

_NAMES = class_names()
_GROUPS = class_groups()
_SEEN = 0.3  # a word counts in a step where some picture shows it with this probability


class Losses(NamedTuple):
    """The terms of one step."""

    contrastive: Tensor
    classes: Tensor
    words: Tensor


class Teacher:
    """Draws the classes and words of a step and compares the towers with the trunk's classifier on them."""

    def __init__(self, logits: Float[Tensor, "n 1000"], n_classes: int, n_words: int, rng: np.random.Generator) -> None:
        self.logits = logits
        self.classes = sampled_classes(logits, n_classes, rng)
        self.words = [str(word) for word in rng.choice(list(_GROUPS), n_words, replace=False)]
        self.texts = [_class_text(_NAMES[index], rng) for index in self.classes.tolist()]
        self.texts += [in_template(word, rng) for word in self.words]

    def losses(self, towers: TwoTowers, images: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
        """Divergence over classes for each picture, and over pictures for each word; `texts` as in `self.texts`."""
        n = len(self.classes)
        student = (towers.class_scale.exp().clamp(max=80) * images @ texts[:n].T).log_softmax(-1)
        classes = F.kl_div(student, self.logits[:, self.classes].softmax(-1), reduction="batchmean")
        probabilities = self.logits.softmax(-1)
        shown = torch.stack([probabilities[:, _GROUPS[word]].sum(-1) for word in self.words])
        seen = shown.max(-1).values > _SEEN
        by_word = (towers.group_scale.exp().clamp(max=80) * texts[n:][seen] @ images.T).log_softmax(-1)
        target = shown[seen] / shown[seen].sum(-1, keepdim=True)
        return classes, F.kl_div(by_word, target, reduction="sum") / max(int(seen.sum()), 1)


def contrastive_loss(towers: TwoTowers, images: Tensor, texts: Tensor, captions: list[str]) -> Tensor:
    """Symmetric cross-entropy in which equal texts share the target."""
    numbers = {text: number for number, text in enumerate(dict.fromkeys(captions))}
    same = torch.tensor([numbers[text] for text in captions])
    target = (same[:, None] == same[None]).float()
    target = target / target.sum(-1, keepdim=True)
    logits = towers.contrastive_scale.exp().clamp(max=50) * images @ texts.T
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


@torch.no_grad()
def push(features: Float[Tensor, "n 1280"], classifier: nn.Linear, rng: np.random.Generator) -> Float[Tensor, "n 1280"]:
    """Features mixed in pairs, changed at random and moved along the weights of two random classes.

    Pooled features are no less than 0. The teacher is linear, so it is right about any of them.
    """
    n = len(features)
    share, weak, strength = (torch.from_numpy(rng.uniform(*ends, (n, 1)).astype(np.float32)) for ends in _RANGES)
    mixed = share * features + (1 - share) * features[torch.from_numpy(rng.permutation(n))]
    mixed = mixed * torch.from_numpy(np.exp(rng.normal(0, 0.5, mixed.shape)).astype(np.float32))
    first, second = torch.from_numpy(rng.integers(0, classifier.out_features, (2, n)))
    weights = F.normalize(classifier.weight[first] + 0.5 * classifier.weight[second], dim=-1)
    moved: Tensor = weak * mixed + strength * mixed.norm(dim=-1, keepdim=True) * weights
    return moved.clamp(min=0)


_RANGES = ((0.0, 1.0), (0.4, 1.0), (0.05, 0.6))  # of a pair's share, of what stays, of the push


def sampled_classes(teacher: Float[Tensor, "n 1000"], n: int, rng: np.random.Generator) -> Int[Tensor, " n_classes"]:
    """Distinct classes: first the best ones of random rows, then random others."""
    best = teacher.topk(2, dim=-1).indices[torch.from_numpy(rng.permutation(len(teacher))[: n // 3])]
    order = torch.cat([best.reshape(-1), torch.from_numpy(rng.permutation(teacher.shape[1]))])
    return torch.tensor(list(dict.fromkeys(order.tolist()))[:n])


def _class_text(synonyms: list[str], rng: np.random.Generator) -> str:
    """Mostly the usual name, sometimes another one, in a template."""
    return in_template(synonyms[0] if rng.random() < 0.7 else synonyms[rng.integers(len(synonyms))], rng)
