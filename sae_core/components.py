"""Principal components of a store's embeddings, from their moments."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64


def components_fvu(
    mean: Float64[np.ndarray, "d"], products: Float64[np.ndarray, "d d"], n_images: int, n_components: int
) -> float:
    """FVU of the best `n_components` directions for all images, which are the first principal components.

    `products` is the sum of outer products x x^T. NaN where nothing varies.
    """
    variances = np.maximum(np.linalg.eigvalsh(products / n_images - np.outer(mean, mean)), 0)
    total = float(variances.sum())
    return float(variances[: max(len(variances) - n_components, 0)].sum()) / total if total > 1e-9 else float("nan")
