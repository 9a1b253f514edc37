"""Crops of frames."""

import numpy as np
import pytest
import torch

from tracker.regions import crop


def ramp(width: int, height: int) -> np.ndarray:
    """Blue is 2 x, green is 2 y, so that means of neighbours are whole grey levels."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = 2 * np.arange(width)
    image[..., 1] = 2 * np.arange(height)[:, None]
    return image


@pytest.mark.parametrize(
    ("side", "size"),
    [(64.0, 64), (32.0, 64), (100.0, 64), (90.0, 32), (100.0, 32), (100.0, 24), (120.0, 24), (120.0, 15)],
)
def test_a_crop_shows_its_region(side: float, size: int) -> None:
    region = torch.tensor([[62.5, 63.0, side]])
    shown = crop([ramp(127, 127)], region, size)[0].float() / 2
    # Output pixel u shows the frame at left + (u + 1/2) side / size; pixel i's centre is at i + 1/2.
    at = (torch.arange(size) + 0.5) * side / size - 0.5
    inner = slice(2, -2)
    expected_x, expected_y = 62.5 - side / 2 + at, 63.0 - side / 2 + at
    torch.testing.assert_close(shown[0, size // 2, inner], expected_x[inner], atol=0.9, rtol=0)
    torch.testing.assert_close(shown[1, inner, size // 2], expected_y[inner], atol=0.9, rtol=0)
    # Rounding to whole grey levels averages out; a shift of half a pixel does not.
    assert float((shown[0, size // 2, inner] - expected_x[inner]).mean()) == pytest.approx(0, abs=0.3)
    assert float((shown[1, inner, size // 2] - expected_y[inner]).mean()) == pytest.approx(0, abs=0.3)


def test_outside_the_frame_is_its_mean_colour() -> None:
    frame = np.full((50, 60, 3), (10, 20, 200), np.uint8)
    shown = crop([frame], torch.tensor([[-500.0, -500.0, 100.0]]), 32)[0]
    assert torch.equal(shown, torch.tensor([10, 20, 200], dtype=torch.uint8).view(3, 1, 1).expand(3, 32, 32))


@pytest.mark.parametrize("side", [500.0, 1000.0])
def test_fine_texture_does_not_alias_when_shrunk(side: float) -> None:
    frame = np.zeros((1024, 1024, 3), np.uint8)
    frame[::2] = 255
    shown = crop([frame], torch.tensor([[512.0, 512.0, side]]), 100)[0, :, 10:-10, 10:-10].float()
    assert float(shown.std()) < 30
    assert float(shown.mean()) == pytest.approx(127.5, abs=5)


def test_every_region_is_cut_from_its_own_frame() -> None:
    frames = [np.full((40, 40, 3), value, np.uint8) for value in (10, 200)]
    shown = crop(frames, torch.tensor([[20.0, 20.0, 10.0], [20.0, 20.0, 10.0]]), 8)
    assert shown.shape == (2, 3, 8, 8)
    assert [int(one.float().mean()) for one in shown] == [10, 200]
