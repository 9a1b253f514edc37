"""Rendered clips as files: in GOT-10k's layout, and as a contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ltr_train.data.rendered import RenderedClip

UInt8Array = NDArray[np.uint8]
_QUALITY = 95
_SHOWN, _HEIGHT = 8, 144
_GREEN, _RED = (80, 255, 80), (40, 40, 255)


def write_clips(folder: Path, clips: Sequence[RenderedClip], report: Callable[[int], object]) -> None:
    """Write clips as GOT-10k has them, and ``sheet.png``, a row of frames of each with its boxes.

    ``list.txt`` names the clips. Each has a folder with ``00000001.jpg`` and so on, ``groundtruth.txt`` (x,y,w,h a
    line, 1-based, nan where the target is absent), ``absence.label``, ``cover.label`` (eighths visible, 0 to 8),
    ``cut_by_image.label`` and ``meta_info.ini``.

    Args:
        folder: It is made where it is missing; nothing in it is replaced.
        clips: At least one.
        report: Called with the number of clips written, after each.

    Raises:
        ValueError: The folder holds something already, or cannot be written to.
    """
    expect_empty(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for clip in clips:
            rows.append(_write_clip(folder / clip.name, clip))
            report(len(rows))
        widest = max(row.shape[1] for row in rows)
        sheet = np.vstack([cv2.copyMakeBorder(r, 0, 4, 0, widest - r.shape[1], cv2.BORDER_CONSTANT) for r in rows])
        _write(folder / "sheet.png", np.asarray(sheet, np.uint8))
        (folder / "list.txt").write_text("".join(f"{clip.name}\n" for clip in clips), encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{folder} cannot be written to ({error.strerror}): name another with --out") from error


def expect_empty(folder: Path) -> None:
    """Rendered clips replace nothing.

    Raises:
        ValueError: The folder holds something, or is none.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is no empty folder: name a new one with --out")


def _write_clip(folder: Path, clip: RenderedClip) -> UInt8Array:
    """Write one clip; its row of the contact sheet."""
    folder.mkdir()
    truth, shown = clip.groundtruth, []
    numbers = np.linspace(0, len(truth) - 1, _SHOWN).round().astype(int).tolist()
    for number, image in enumerate(clip.frames()):
        _write(folder / f"{number + 1:08d}.jpg", image)
        if number in numbers:
            shown.append(_tile(image, truth[number], f"{clip.name[9:]} {number}"))
    absent = np.isnan(truth[:, 0])
    eighths = np.where(absent, 0, np.maximum(1, np.rint(8.0 * clip.visible)))
    cut = ~absent & (np.abs(truth - clip.extents) > 0.5).any(axis=1)
    based = truth + np.array([1.0, 1.0, 0.0, 0.0])
    _write_lines(folder / "groundtruth.txt", [",".join(f"{value:.4f}" for value in box) for box in based])
    for name, values in (("absence", absent), ("cover", eighths), ("cut_by_image", cut)):
        _write_lines(folder / f"{name}.label", [str(int(value)) for value in values])
    _write_lines(folder / "meta_info.ini", ["[METAINFO]", f"object_class: {clip.category}"])
    return np.hstack(shown)


def _write(path: Path, image: UInt8Array) -> None:
    _, code = cv2.imencode(path.suffix, image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY] if path.suffix == ".jpg" else [])
    path.write_bytes(code.tobytes())


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _tile(image: UInt8Array, box: NDArray[np.float64], text: str) -> UInt8Array:
    """A small frame with its box; a red border where the target is absent."""
    scale = _HEIGHT / image.shape[0]
    tile = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    absent = bool(np.isnan(box[0]))
    if not absent:
        x, y, w, h = (scale * box).tolist()
        cv2.rectangle(tile, (round(x), round(y)), (round(x + w), round(y + h)), _GREEN, 1)
    cv2.putText(tile, text, (4, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (255, 255, 255), 1, cv2.LINE_AA)
    colour = _RED if absent else (0, 0, 0)
    return np.asarray(cv2.copyMakeBorder(tile, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=colour), np.uint8)
