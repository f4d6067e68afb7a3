"""The trained parts of the demo encoder: a projection of trunk features, and a text transformer."""

from __future__ import annotations

import numpy as np
import open_clip
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from index_builder.demo.texts import Vocabulary


class TwoTowers(nn.Module):
    """The trained parts of the open_clip model, with the token embedding cut to the used tokens."""

    def __init__(self, clip: open_clip.CLIP, projection: nn.Linear, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.projection = projection
        self.embedding = nn.Embedding(len(vocabulary.ids), clip.token_embedding.embedding_dim)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.transformer, self.ln_final = clip.transformer, clip.ln_final
        self.positional_embedding, self.text_projection = clip.positional_embedding, clip.text_projection
        self.mask: Tensor = clip.attn_mask
        self.contrastive_scale = nn.Parameter(torch.tensor(np.log(1 / 0.07), dtype=torch.float32))
        self.class_scale = nn.Parameter(torch.tensor(np.log(20.0), dtype=torch.float32))
        self.group_scale = nn.Parameter(torch.tensor(np.log(20.0), dtype=torch.float32))
        self.vocabulary = vocabulary

    def images(self, features: Float[Tensor, "n 1280"]) -> Float[Tensor, "n d_embed"]:
        """Unit embeddings of trunk features."""
        return F.normalize(self.projection(features), dim=-1)

    def texts(self, texts: list[str]) -> Float[Tensor, "n d_embed"]:
        """Unit embeddings of texts; the causal mask makes the cut after the longest one exact."""
        ids, ends = self.vocabulary.batch(texts)
        length = ids.shape[1]
        hidden = self.embedding(ids) + self.positional_embedding[:length]
        hidden = self.ln_final(self.transformer(hidden, attn_mask=self.mask[:length, :length]))
        return F.normalize(hidden[torch.arange(len(texts)), ends] @ self.text_projection, dim=-1)
