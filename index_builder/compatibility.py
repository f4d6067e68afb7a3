"""Do this encoder and this SAE belong together? Asked of a spread of the source's pictures before the long work."""

from __future__ import annotations

import logging

import numpy as np
from jaxtyping import Float
from torch import Tensor

from index_builder.decode import SlotDataset
from index_builder.plan import Encoders
from index_builder.sources import Source
from sae_core.metrics import Fidelity, fidelity
from sae_core.sae.topk import TopKSAE

log = logging.getLogger("sparsight")
SAMPLE = 64  # pictures, spread over the whole listing: the first ones of a sorted folder are often all of one class
_MIN_GAIN = 0.3  # share of the way from the random pairs' cosine to 1
_MAX_FVU = 0.75


def check_compatibility(source: Source, models: Encoders) -> Fidelity | None:
    """Logs reconstruction figures, with a loud warning where they are hardly better than chance."""
    slots = np.unique(np.linspace(0, len(source.keys) - 1, SAMPLE).astype(int)).tolist()
    batch = SlotDataset(source, models.clip.preprocessing, thumbnail_side=0).__getitems__(slots)
    return check_fit(models.clip.encode_pixels(batch.pixels), models.sae) if len(batch.rows) > 1 else None


def check_fit(x: Float[Tensor, "n d_embed"], sae: TopKSAE) -> Fidelity:
    """The same of embeddings that are there."""
    codes = sae.encode(x.to(sae.W_enc.device))
    found = fidelity(x, sae.decode(codes).cpu(), codes.activations.cpu())
    said = (
        f"on {len(x)} pictures the SAE rebuilds embeddings with cosine {found.cosine:.3f} "
        f"(random pairs: {found.random_pair_cosine:.3f}) and FVU {found.fvu:.3f}"
    )
    if looks_wrong(found):
        log.warning("WARNING: %s. That is hardly better than chance: encoder and SAE may not belong together", said)
    else:
        log.info("%s", said)
    if cut := cut_share(x, sae):
        log.warning(
            "%.0f %% of these pictures have more than %d active latents, whose weakest are left out; --k keeps more",
            100 * cut,
            sae.config.k,
        )
    return found


def cut_share(x: Float[Tensor, "n d_embed"], sae: TopKSAE) -> float:
    """Share of embeddings of which more latents pass their thresholds than codes have room for."""
    if sae.config.activation != "threshold":
        return 0.0
    passed = (sae.gate(sae.pre_activations(x.to(sae.W_enc.device))) > 0).sum(1)
    return float((passed > sae.config.k).float().mean())


def looks_wrong(found: Fidelity) -> bool:
    """Whether reconstructions are no better than another picture's, or leave most of the variance unexplained."""
    gain = (found.cosine - found.random_pair_cosine) / max(1 - found.random_pair_cosine, 1e-9)
    return gain < _MIN_GAIN or found.fvu > _MAX_FVU
