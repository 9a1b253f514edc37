"""The demonstration: tracks the bundled clip well and leaves what it says it leaves."""

from pathlib import Path

import numpy as np
import pytest

from ebtrack.clip import read_truth
from ebtrack.demo import demo, mean_iou, run_demo
from tracker.sinks import OutputError


def test_mean_iou_counts_annotated_frames_after_the_first() -> None:
    nan = np.nan
    truth = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [nan, nan, nan, nan], [0, 0, 10, 10.0]])
    # The first frame would count 0 and the absent one anything; the others have overlaps 1/3 and 1.
    boxes = np.array([[50, 50, 10, 10], [5, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10.0]])
    assert mean_iou(boxes, truth) == pytest.approx((1 / 3 + 1) / 2)
    assert mean_iou(read_truth(), read_truth()) == pytest.approx(1)


def test_demo_tracks_reports_and_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    demo(out, device="cpu")
    said = capsys.readouterr().out
    for name in ("annotated.mp4", "boxes.csv", "summary.png", "posterior.png"):
        assert str(out / name) in said
        assert (out / name).stat().st_size > 0
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(OutputError, match="overwrite"):
        run_demo(out, device="cpu")
    assert {path: path.read_bytes() for path in out.iterdir()} == before

    again = run_demo(out, device="cpu", overwrite=True)
    assert f"{again.mean_iou:.3f}" in said
    assert again.mean_iou >= 0.70
    assert again.presence_hidden < 0.5 < again.presence_seen
