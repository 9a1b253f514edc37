"""A small benchmark, and a tracker that misbehaves where it is told to."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import typer

from ebtrack.evaluate import evaluate
from ebtrack.regression import ManyValues
from tests.clips import BOX, picture

app = typer.Typer()
app.command(cls=ManyValues)(evaluate)

LENGTHS = {"long": 9, "middle": 6, "short": 4}
CONTESTANT = '''
import os
import pathlib


class Tracker:
    """Stays where it was put; a file of the working folder names the width of the frames on which it fails."""

    def init(self, frame, box):
        self.box, self.seen = box, 0

    def update(self, frame):
        self.seen += 1
        for kind in ("raises", "dies", "nan"):
            if (mark := pathlib.Path(kind)).exists() and frame.shape[1] == int(mark.read_text()) and self.seen == 2:
                if kind == "raises":
                    raise KeyError("no such thing")
                if kind == "dies":
                    os._exit(7)
                return (float("nan"),) * 4
        return True, self.box
'''


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three sequences of pictures of widths that tell them apart; `mine:Tracker` can be imported."""
    for number, (name, frames) in enumerate(LENGTHS.items()):
        folder = tmp_path / "sequences" / name
        (folder / "img").mkdir(parents=True)
        for index in range(frames):
            assert cv2.imwrite(str(folder / "img" / f"{index}.png"), picture(index, (96 + number, 72)))
        boxes = np.array(BOX) + np.arange(frames)[:, None] * (1.0, 0, 0, 0)
        np.savetxt(folder / "groundtruth.txt", boxes, "%.3f", ",")
    (tmp_path / "mine.py").write_text(CONTESTANT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "sequences"
