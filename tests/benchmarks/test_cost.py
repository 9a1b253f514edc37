"""What a frame costs: counted right, and little."""

import pytest
import torch

import ebtrack
from benchmarks.cost import Multiplications, by_part
from tracker.config import TrackerConfig

LIMIT = 250.0
"""Millions of multiply-accumulates that the default weights may take for a frame, all told."""


def test_products_are_counted_forward_and_backward() -> None:
    a, b = torch.zeros(1000, 20, requires_grad=True), torch.zeros(20, 50)
    with Multiplications() as counted:
        (a @ b).sum().backward()
    # Forward, and backward into the one factor that asks for it.
    assert counted.millions == pytest.approx(2.0)
    with Multiplications() as counted:
        torch.nn.functional.conv2d(torch.zeros(1, 3, 102, 102), torch.zeros(8, 3, 3, 3))
    assert counted.millions == pytest.approx(8 * 3 * 9 * 100 * 100 / 1e6)


def test_the_default_tracker_is_light() -> None:
    found = by_part(ebtrack.load("default", device="cpu", config=TrackerConfig(search=False)))
    total = found.pop("all told")
    assert all(part > 0 for part in found.values())
    assert sum(found.values()) == pytest.approx(total)
    assert total <= LIMIT
