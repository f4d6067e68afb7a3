"""Trains the projection and the text tower on cached trunk features; losses.py says to what end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn
from tqdm import tqdm

from index_builder.demo.losses import Losses, Teacher, contrastive_loss, push
from index_builder.demo.texts import CaptionSource
from index_builder.demo.towers import TwoTowers


@dataclass(frozen=True)
class TrainingConfig:
    """How the encoder is trained."""

    steps: int = 1000
    n_pairs: int = 160  # pictures with a text, per step
    n_pushed: int = 448  # features pushed towards random classes, per step
    n_classes: int = 128  # class names, per step
    n_words: int = 20  # everyday words, per step
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: int = 150
    distillation: float = 1.5  # weight of the class names beside the contrastive loss
    words: float = 0.3  # weight of the everyday words
    threads: int = 1
    seed: int = 0


@dataclass(frozen=True)
class TrainingData:
    """What training sees; the held-out pictures are not in it."""

    features: Float[np.ndarray, "n_views n 1280"]
    captions: CaptionSource
    classifier: nn.Linear  # the teacher: features -> 1000 logits


def train(towers: TwoTowers, data: TrainingData, config: TrainingConfig) -> None:
    """Trains in place."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    optimizer = torch.optim.AdamW(_groups(towers, config), lr=config.learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps=config.steps,
        pct_start=min(0.5, config.warmup / config.steps),
    )
    for _ in (progress := tqdm(range(config.steps), desc="training", mininterval=15)):
        losses = _losses(towers, data, config, rng)
        optimizer.zero_grad()
        (losses.contrastive + config.distillation * losses.classes + config.words * losses.words).backward()
        torch.nn.utils.clip_grad_norm_(towers.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        progress.set_postfix_str(" ".join(f"{value.item():.3f}" for value in losses), refresh=False)


def _groups(towers: TwoTowers, config: TrainingConfig) -> list[dict[str, Any]]:
    """The projection starts near a good place: it moves slower."""
    slow = list(towers.projection.parameters())
    known = {id(parameter) for parameter in slow}
    rest = [p for p in towers.parameters() if id(p) not in known and p.requires_grad]
    return [
        {"params": slow, "lr": config.learning_rate * 0.25, "weight_decay": 0.0},
        {
            "params": [p for p in rest if p.ndim > 1],
            "lr": config.learning_rate,
            "weight_decay": config.weight_decay,
        },
        {"params": [p for p in rest if p.ndim < 2], "lr": config.learning_rate, "weight_decay": 0.0},
    ]


def _losses(towers: TwoTowers, data: TrainingData, config: TrainingConfig, rng: np.random.Generator) -> Losses:
    """The losses of one step; each tower runs once."""
    n = config.n_pairs
    rows = rng.choice(data.features.shape[1], n, replace=False)
    features = torch.from_numpy(data.features[rng.integers(0, len(data.features), n), rows])
    everything = torch.cat([features, push(features[rng.integers(0, n, config.n_pushed)], data.classifier, rng)])
    teacher = Teacher(data.classifier(everything), config.n_classes, config.n_words, rng)
    captions = data.captions.draw(rows.tolist(), rng)
    images, texts = towers.images(everything), towers.texts(captions + teacher.texts)
    classes, words = teacher.losses(towers, images, texts[n:])
    return Losses(contrastive_loss(towers, images[:n], texts[:n], captions), classes, words)
