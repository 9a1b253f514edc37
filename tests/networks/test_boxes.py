"""Conversions between coordinate frames."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from networks import boxes as geometry

number = st.floats(-2000, 2000, width=32)
size = st.floats(1.0, 2000, width=32)
pixel_box = st.tuples(number, number, size, size).map(lambda b: torch.tensor(b, dtype=torch.float64))
region = st.tuples(number, number, size).map(lambda r: torch.tensor(r, dtype=torch.float64))


@given(pixel_box, region)
def test_conversions_undo_each_other(box: torch.Tensor, region: torch.Tensor) -> None:
    centre = geometry.xywh_to_cxcywh(box)
    there = geometry.crop_to_frame(geometry.frame_to_crop(centre, region), region)
    torch.testing.assert_close(geometry.cxcywh_to_xywh(there), box, rtol=1e-9, atol=1e-6)


@given(pixel_box, pixel_box, region)
def test_iou_is_symmetric_bounded_and_the_same_in_every_frame(
    a: torch.Tensor, b: torch.Tensor, region: torch.Tensor
) -> None:
    a, b = geometry.xywh_to_cxcywh(a), geometry.xywh_to_cxcywh(b)
    value = float(geometry.iou(a, b))
    assert 0 <= value <= 1 + 1e-9
    assert float(geometry.iou(b, a)) == pytest.approx(value)
    in_crop = geometry.crop_iou(geometry.frame_to_crop(a, region), geometry.frame_to_crop(b, region))
    assert float(in_crop) == pytest.approx(value, abs=1e-6)


def test_iou_of_known_boxes() -> None:
    a = torch.tensor([[5.0, 5.0, 10.0, 10.0], [5.0, 5.0, 10.0, 10.0], [0.0, 0.0, 2.0, 2.0]])
    b = torch.tensor([[10.0, 5.0, 10.0, 10.0], [5.0, 5.0, 10.0, 10.0], [9.0, 9.0, 2.0, 2.0]])
    torch.testing.assert_close(geometry.iou(a, b), torch.tensor([1 / 3, 1.0, 0.0]))


def test_search_region_holds_the_box_at_the_given_scale() -> None:
    box = torch.tensor([[100.0, 50.0, 20.0, 80.0]])
    region = geometry.region_around(box, 4.0)
    torch.testing.assert_close(region, torch.tensor([[100.0, 50.0, 160.0]]))
    in_crop = geometry.frame_to_crop(box, region)
    torch.testing.assert_close(in_crop[0, :2], torch.zeros(2))
    torch.testing.assert_close(in_crop[0, 2:].exp(), torch.tensor([20 / 160, 80 / 160]))
