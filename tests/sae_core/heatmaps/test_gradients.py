"""Integrated gradients: the known answer, captum's, and completeness."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sae_core import ClipEncoder
from sae_core.errors import EncoderError
from sae_core.heatmaps import integrated_gradients
from tests.sae_core.heatmaps.conftest import LinearEncoder


def score(encoder: ClipEncoder, pixels: np.ndarray, weight: np.ndarray) -> float:
    return float(
        encoder.encode_pixels(torch.from_numpy(pixels[None].copy()))[0].double() @ torch.from_numpy(weight).double()
    )


def test_of_a_linear_encoder_it_is_every_pixels_own_share(
    linear: LinearEncoder, pixels: np.ndarray, weight: np.ndarray
) -> None:
    found = sum(integrated_gradients(linear, pixels, weight, steps=3, power=1, batch_size=2))  # type: ignore[arg-type]
    np.testing.assert_allclose(found, linear.shares(pixels, weight), rtol=1e-4, atol=1e-4)


def test_all_shares_add_up_to_the_whole_change(clip: ClipEncoder, seen: np.ndarray, column: np.ndarray) -> None:
    """Completeness; with more steps it is closer, so that what is left is the integral's error."""
    plain = np.broadcast_to(clip.preprocessing.mean_colour, seen.shape)
    change = score(clip, seen, column) - score(clip, plain, column)
    gaps = [abs(sum(integrated_gradients(clip, seen, column, steps)).sum() - change) for steps in (4, 256)]
    assert abs(change) > 0.05
    assert gaps[1] < 1e-3 * abs(change)
    assert gaps[1] < gaps[0]


def test_more_steps_beside_the_baseline_are_the_same_integral(
    clip: ClipEncoder, seen: np.ndarray, column: np.ndarray
) -> None:
    even, uneven = (sum(integrated_gradients(clip, seen, column, 400, power)) for power in (1, 3))
    np.testing.assert_allclose(even, uneven, atol=0.01 * np.abs(even).max())


def test_captum_finds_the_same(clip: ClipEncoder, seen: np.ndarray, column: np.ndarray) -> None:
    captum = pytest.importorskip("captum.attr", reason="captum is a development requirement")

    def pre_activation(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(clip.model.encode_image(x), dim=-1) @ torch.from_numpy(column)

    fill = np.broadcast_to(clip.preprocessing.mean_colour, (1, 32, 32, 3)).copy()
    theirs = captum.IntegratedGradients(pre_activation).attribute(
        clip.preprocessing.normalise(torch.from_numpy(seen[None].copy())),
        baselines=clip.preprocessing.normalise(torch.from_numpy(fill)),
        n_steps=16,
        method="riemann_middle",
    )
    ours = sum(integrated_gradients(clip, seen, column, steps=16, power=1))
    np.testing.assert_allclose(ours, theirs[0].sum(0).detach().numpy(), atol=1e-6)


def test_a_picture_of_the_mean_colour_has_no_shares(clip: ClipEncoder, column: np.ndarray) -> None:
    plain = np.broadcast_to(clip.preprocessing.mean_colour, (32, 32, 3)).copy()
    assert not sum(integrated_gradients(clip, plain, column, steps=4)).any()


def test_the_batch_size_does_not_matter(clip: ClipEncoder, seen: np.ndarray, column: np.ndarray) -> None:
    one, many = (sum(integrated_gradients(clip, seen, column, steps=7, batch_size=size)) for size in (1, 5))
    np.testing.assert_allclose(one, many, atol=1e-7)


def test_an_encoder_without_gradients_is_refused_in_a_sentence(pixels: np.ndarray, weight: np.ndarray) -> None:
    class Opaque(LinearEncoder):
        def embed(self, pixels: torch.Tensor) -> torch.Tensor:
            return super().embed(pixels).detach()

    with pytest.raises(EncoderError, match="occlusion"):
        list(integrated_gradients(Opaque(), pixels, weight))  # type: ignore[arg-type]


def test_pages_may_ask_inside_no_grad(clip: ClipEncoder, seen: np.ndarray, column: np.ndarray) -> None:
    with torch.no_grad():
        assert sum(integrated_gradients(clip, seen, column, steps=2)).any()
