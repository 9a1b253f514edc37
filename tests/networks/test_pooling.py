"""Precise RoI pooling against numerical integration."""

import itertools

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from networks.pooling import roi_pool, roi_pool_and_slopes


def interpolate(map_: np.ndarray, x: float) -> float:
    """Linear interpolation of a row of cells whose centres are the integers, zero outside."""
    return float(sum(v * max(0.0, 1 - abs(x - i)) for i, v in enumerate(map_)))


def integral_of_bins(cells: int, low: float, high: float, bins: int) -> np.ndarray:
    """``[bins, cells]`` numerically integrated mean of each cell's hat function over each bin."""
    edges = np.linspace(low, high, bins + 1)
    rows = []
    for a, b in itertools.pairwise(edges):
        kinks = [k for k in range(-1, cells + 1) if a < k < b]
        rows.append(
            [
                quad(lambda x, i=i: max(0.0, 1 - abs(x - i)), a, b, points=kinks or None)[0] / (b - a)
                for i in range(cells)
            ]
        )
    return np.array(rows)


@pytest.mark.parametrize(
    "box",
    [
        (0.0, 0.0, -1.4, -1.4),  # in the middle
        (0.13, -0.21, -0.9, -2.0),  # off the grid, wide
        (-0.45, 0.48, -1.0, -0.5),  # partly outside the map
        (0.9, 0.9, -2.0, -2.0),  # wholly outside
        (0.05, 0.02, -4.5, -4.0),  # smaller than a cell
    ],
)
def test_pooling_matches_numerical_integration(box: tuple[float, ...]) -> None:
    bins, cells = 3, 8
    features = torch.randn(1, 2, cells, cells, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    pooled = roi_pool(features, torch.tensor([[box]], dtype=torch.float64), bins)[0, 0]
    cx, cy, w, h = box[0], box[1], np.exp(box[2]), np.exp(box[3])
    along_x = integral_of_bins(cells, (cx - w / 2 + 0.5) * cells - 0.5, (cx + w / 2 + 0.5) * cells - 0.5, bins)
    along_y = integral_of_bins(cells, (cy - h / 2 + 0.5) * cells - 0.5, (cy + h / 2 + 0.5) * cells - 0.5, bins)
    expected = np.einsum("ai,cij,bj->abc", along_y, features[0].numpy(), along_x)
    np.testing.assert_allclose(pooled.numpy(), expected, atol=1e-5)


def test_a_constant_map_pools_to_its_value_and_a_ramp_to_the_bins_centres() -> None:
    cells = 16
    ramp = torch.arange(cells, dtype=torch.float64).expand(1, 1, cells, cells)
    box = torch.tensor([[[0.1, 0.0, np.log(0.5), np.log(0.25)]]], dtype=torch.float64)
    pooled = roi_pool(torch.cat((torch.ones_like(ramp), ramp), 1), box, 4)[0, 0]
    torch.testing.assert_close(pooled[..., 0], torch.ones(4, 4, dtype=torch.float64))
    left = (0.1 - 0.25 + 0.5) * cells - 0.5
    centres = torch.tensor([left + (i + 0.5) * 0.5 * cells / 4 for i in range(4)], dtype=torch.float64)
    torch.testing.assert_close(pooled[..., 1], centres.expand(4, 4), atol=1e-6, rtol=0)


def test_gradients_to_features_and_boxes() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 2, 5, 6, dtype=torch.float64, generator=generator, requires_grad=True)
    boxes = torch.tensor(
        [
            [[0.03, -0.11, -0.7, -0.93], [0.31, 0.27, -1.3, -0.8]],
            [[-0.37, 0.4, -1.1, -1.7], [0.0, 0.01, -0.31, -2.2]],
        ],
        dtype=torch.float64,
        requires_grad=True,
    )
    assert torch.autograd.gradcheck(lambda f, b: roi_pool(f, b, 3), (features, boxes))


def test_a_collapsed_box_stays_finite() -> None:
    features = torch.randn(1, 3, 8, 8)
    boxes = torch.tensor([[[0.0, 0.0, -30.0, -30.0]]], requires_grad=True)
    pooled = roi_pool(features, boxes, 4)
    pooled.sum().backward()
    assert torch.isfinite(pooled).all()
    assert boxes.grad is not None
    assert torch.isfinite(boxes.grad).all()


def test_the_slopes_are_the_derivatives_by_the_box() -> None:
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(2, 3, 5, 6, dtype=torch.float64, generator=generator)
    boxes = torch.randn(2, 7, 4, dtype=torch.float64, generator=generator) * 0.3 - torch.tensor([0, 0, 1.3, 1.3])
    derivatives = torch.autograd.functional.jacobian(lambda b: roi_pool(features, b, 3), boxes)
    value, *slopes = roi_pool_and_slopes(features, boxes, 3).unbind(2)
    torch.testing.assert_close(value, roi_pool(features, boxes, 3))
    for coordinate, slope in enumerate(slopes):
        own = torch.stack([derivatives[n, m, ..., n, m, coordinate] for n in range(2) for m in range(7)])
        torch.testing.assert_close(slope.flatten(0, 1), own)
