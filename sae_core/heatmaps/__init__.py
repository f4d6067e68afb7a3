"""Where in a picture a latent's pre-activation comes from: occlusion, integrated gradients, and a test of both.

The pre-activation of latent j for a picture p is `f(p) = E(p) · W_enc[:, j] + b_enc[j]`, with the unit embedding E(p).
Every map is signed, in units of the pre-activation, on the same grid of cells. Pictures are the cropped pixels that
the encoder sees; "removed" always means painted over with the encoder's mean colour.
"""

from sae_core.heatmaps.deletion import DeletionCurve, centre_order, deletion_curves, map_order, random_order
from sae_core.heatmaps.gradients import integrated_gradients
from sae_core.heatmaps.grid import Grid, grid_of
from sae_core.heatmaps.occlusion import occluded_embeddings, occlusion_map

__all__ = [
    "DeletionCurve",
    "Grid",
    "centre_order",
    "deletion_curves",
    "grid_of",
    "integrated_gradients",
    "map_order",
    "occluded_embeddings",
    "occlusion_map",
    "random_order",
]
