"""Two small sequences with results and two other trackers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from evaluation.lockstep import SequenceResult
from evaluation.results import write_results
from tests.clips import BOX, write_video


@dataclass(frozen=True)
class Folders:
    sequences: Path
    results: Path
    peers: Path


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Sequence ``kept`` is followed to the end, with one absent frame; ``lost`` is lost in frame 4 of 12 for good.

    The tracker ``perfect`` has the ground truth, ``static`` the first box in all frames.
    """
    found = Folders(tmp_path / "sequences", tmp_path / "results", tmp_path / "peers")
    results = []
    for name, frames in (("kept", 16), ("lost", 12)):
        path = np.array(BOX) + np.arange(frames)[:, None] * (1.0, 0, 0, 0)
        truth, boxes = path.copy(), path.copy()
        if name == "kept":
            truth[9] = np.nan
        else:
            boxes[4:, 0] = 70
        folder = found.sequences / name
        folder.mkdir(parents=True)
        write_video(folder / "video.mp4", frames)
        np.savetxt(folder / "groundtruth.txt", truth, "%.3f", ",")
        for peer, rows in (("perfect", path), ("static", np.broadcast_to(path[0], path.shape))):
            (found.peers / peer).mkdir(parents=True, exist_ok=True)
            np.savetxt(found.peers / peer / f"{name}.txt", rows, "%.3f", ",")
        presence = np.linspace(1, 0, frames)
        presence[0] = np.nan
        ends = np.full((1, frames, 4), np.nan)
        results.append(SequenceResult(name, truth, boxes, presence, presence, ends, ends, 1.0))
    write_results(found.results, results, [0.9], {})
    return found
