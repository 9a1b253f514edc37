"""Pictures of strangers: measured before they are decoded."""

import struct
from io import BytesIO

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("python_multipart", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("httpx", reason='the server needs pip install "ebtrack[dev,serve]"')

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from server.pictures import decode, encode, fitted
from server.protocol import ProtocolError
from tests.server.visitor import jpeg

SMOOTH = np.asarray(
    cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 4), np.uint8
)


def test_a_picture_comes_through() -> None:
    image = decode(encode(SMOOTH), 100_000, 64)
    assert image.shape == SMOOTH.shape
    assert np.abs(image.astype(int) - SMOOTH).mean() < 3


def test_a_grey_picture_becomes_one_of_three_channels() -> None:
    assert decode(jpeg(SMOOTH[:, :, 0]), 100_000, 64).shape == (48, 64, 3)


@pytest.mark.parametrize(("side", "words"), [(8000, "8000 x 8000 pixels: at most 64"), (65000, "no JPEG")])
def test_a_bomb_is_refused_by_its_header(side: int, words: str) -> None:
    data = bytearray(jpeg(SMOOTH))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    with pytest.raises(ProtocolError, match=words):
        decode(bytes(data), 100_000, 64)


def test_many_bytes_are_refused() -> None:
    with pytest.raises(ProtocolError, match="at most 100 are taken"):
        decode(jpeg(SMOOTH), 100, 64)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {})])
def test_other_kinds_are_refused(kind: str, options: dict[str, bool]) -> None:
    out = BytesIO()
    Image.fromarray(SMOOTH).save(out, kind, **options)
    with pytest.raises(ProtocolError, match="JPEG"):
        decode(out.getvalue(), 100_000, 64)


@given(st.binary(max_size=64), st.integers(0, 600))
def test_damage_raises_nothing_but_a_protocol_error(noise: bytes, at: int) -> None:
    data = bytearray(jpeg(SMOOTH))
    data[at : at + len(noise)] = noise
    try:
        image = decode(bytes(data), 100_000, 64)
    except ProtocolError:
        return
    assert max(image.shape[:2]) <= 64


def test_large_pictures_are_made_smaller_and_small_ones_stay() -> None:
    assert fitted(np.zeros((100, 400, 3), np.uint8), 100).shape == (25, 100, 3)
    small = np.zeros((10, 20, 3), np.uint8)
    assert fitted(small, 100) is small
