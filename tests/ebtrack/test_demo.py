"""The demonstration: tracks the bundled clip well and leaves what it says it leaves."""

from pathlib import Path

import pytest

from ebtrack.demo import demo, run_demo
from tracker.sinks import OutputError


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
