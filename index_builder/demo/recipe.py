"""From the tar and cached features to a trained, measured encoder and the SAE's training embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch.nn import functional as F

from index_builder.demo.classes import class_groups, class_names
from index_builder.demo.encoder import initial_projection, new_clip, save_encoder
from index_builder.demo.features import Pictures, cached_features, classifier
from index_builder.demo.samples import Sample, clipart_samples, emoji_samples
from index_builder.demo.texts import TEMPLATES, CaptionSource, Vocabulary
from index_builder.demo.towers import TwoTowers
from index_builder.demo.training import TrainingConfig, TrainingData, train

N_HELD_OUT = 638  # pictures that training does not see
_SPLIT_SEED = 20


@dataclass(frozen=True)
class Recipe:
    """Folders, and what is read from them once."""

    scratch: Path
    assets: Path
    n_views: int = 11

    @property
    def tar(self) -> Path:
        """The pictures."""
        return self.assets / "pictures.tar"

    @property
    def encoder(self) -> Path:
        """The open_clip model directory."""
        return self.assets / "encoder"

    @cached_property
    def pictures(self) -> Pictures:
        """The tar's pictures."""
        return Pictures.read(self.tar)

    @cached_property
    def features(self) -> Float[np.ndarray, "n_views n_pictures 1280"]:
        """Trunk features of all views."""
        return cached_features(self.scratch, self.tar, self.n_views)

    @cached_property
    def held_out(self) -> np.ndarray:
        """True for pictures that training does not see, a seeded choice among sorted keys."""
        chosen = np.random.default_rng(_SPLIT_SEED).permutation(len(self.pictures.keys))[:N_HELD_OUT]
        mask = np.zeros(len(self.pictures.keys), dtype=bool)
        mask[chosen] = True
        return mask

    @cached_property
    def samples(self) -> dict[str, Sample]:
        """The sources' samples by key, for their tags."""
        return {s.key: s for s in (*emoji_samples(self.scratch), *clipart_samples(self.scratch))}

    def train_encoder(self, config: TrainingConfig) -> None:
        """Trains on the pictures that are not held out and writes the model directory."""
        teacher = classifier(self.scratch)
        features = self.features[:, ~self.held_out]
        captions = self.caption_source(~self.held_out)
        clip = new_clip(self.encoder)
        towers = TwoTowers(clip, initial_projection(features[0], teacher), _vocabulary(captions))
        train(towers, TrainingData(features, captions, teacher), config)
        save_encoder(clip, towers, self.scratch, self.encoder)

    def caption_source(self, rows: np.ndarray) -> CaptionSource:
        """Captions, tags and labels of some pictures."""
        facts = [self.pictures.facts[row] for row in np.flatnonzero(rows)]
        tags = [self.samples[self.pictures.keys[row]].tags for row in np.flatnonzero(rows)]
        return CaptionSource([fact["caption"] for fact in facts], tags, [fact["label"] for fact in facts])

    def write_embeddings(self, out: Path) -> tuple[int, int]:
        """Unit embeddings of all views, for SAE training: float32 `[n_views * n_pictures, 512]`."""
        from safetensors.torch import load_file

        weights = load_file(self.encoder / "open_clip_model.safetensors")
        weight, bias = (weights[f"visual.head.proj.{name}"].float() for name in ("weight", "bias"))
        features = torch.from_numpy(self.features.reshape(-1, self.features.shape[-1]))
        embeddings = F.normalize(F.linear(features, weight, bias), dim=-1).numpy()
        np.save(out, embeddings)
        return embeddings.shape


def _vocabulary(captions: CaptionSource) -> Vocabulary:
    """All words that training can draw."""
    names = [name for synonyms in class_names() for name in synonyms] + list(class_groups())
    tags = [tag for some in captions.tags for tag in some]
    texts = [
        *captions.captions,
        *captions.labels,
        *tags,
        *names,
        *(template.format("") for template in TEMPLATES),
    ]
    return Vocabulary(texts)
