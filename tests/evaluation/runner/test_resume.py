"""What counts as done."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.results import Result, ResultsError, read_result, write_result
from evaluation.runner.plan import TrackerPlan, sequence_record, source_checksum, tracker_name
from evaluation.runner.resume import alone_in, differences, pending
from evaluation.sequences import Sequence, read_sequences
from tracker.config import TrackerConfig

MADE = {"weights": "a" * 64, "seed": 0, "settings": {"samples": 128}}


@pytest.fixture
def sequences(root: Path) -> list[Sequence]:
    return read_sequences(root)


def write(folder: Path, sequence: Sequence, made_by: dict[str, object]) -> None:
    record = {**made_by, "sequence": sequence_record(sequence)}
    write_result(folder, Result(sequence.name, sequence.groundtruth), record)


def test_only_what_is_whole_is_left_out(tmp_path: Path, sequences: list[Sequence]) -> None:
    folder = tmp_path / "out"
    assert [s.name for s in pending(folder, sequences, MADE).sequences] == ["long", "middle", "short"]
    for sequence in sequences:
        write(folder, sequence, MADE)
    assert (pending(folder, sequences, MADE).sequences, pending(folder, sequences, MADE).done) == ([], 3)
    (folder / "long.txt").unlink()  # as a kill before the last step leaves it
    cut = (folder / "short.txt").read_text()[:20]
    (folder / "short.txt").write_text(cut)
    left = pending(folder, sequences, MADE)
    assert [s.name for s in left.sequences] == ["long", "short"]
    assert left.done == 1
    (place,) = left.moved.values()
    assert place.read_text() == cut
    assert not (folder / "short.txt").exists()
    (folder / "short.txt").write_text("1,2,3,4\n")
    (folder / "records" / "short.json").unlink()
    again = pending(folder, sequences, MADE)
    assert again.moved[folder / "short.txt"] != place
    assert place.read_text() == cut


def test_what_something_else_made_is_refused_by_name_and_stays(tmp_path: Path, sequences: list[Sequence]) -> None:
    folder = tmp_path / "out"
    for sequence in sequences:
        write(folder, sequence, MADE)
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    now = {"weights": "b" * 64, "seed": 1, "settings": {"samples": 64}}
    with pytest.raises(ResultsError) as said:
        pending(folder, sequences, now)
    for part in ("long.txt (and 2 more)", "weights aaaaaaaaaaaa there, bbbbbbbbbbbb now", "seed 0 there, 1 now",
                 "settings.samples 128 there, 64 now", "--out", "--overwrite"):  # fmt: skip
        assert part in str(said.value)
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before
    assert len(pending(folder, sequences, now, overwrite=True).sequences) == 3
    moved = Sequence("long", sequences[0].source, sequences[0].groundtruth + 1, sequences[0].absent)
    with pytest.raises(ResultsError, match=r"sequence\.box"):
        pending(folder, [moved], MADE)
    assert differences({"old": 1}, {}) == ["old 1 there, not set now"]


def test_a_plan_names_all_that_results_depend_on(untrained_weights: Path) -> None:
    plan = TrackerPlan(str(untrained_weights), "mine", batch=4)
    base = plan.made_by()
    assert base["code"] == source_checksum()
    others = {
        "seed": TrackerPlan(str(untrained_weights), "mine", seed=1, batch=4),
        "batch": TrackerPlan(str(untrained_weights), "mine", batch=5),
        "settings": TrackerPlan(str(untrained_weights), "mine", config=TrackerConfig(samples=9), batch=4),
        "weights": TrackerPlan("default", "mine", batch=4),
    }
    for key, other in others.items():
        assert [said.split(" ")[0].split(".")[0] for said in differences(base, other.made_by())] == [key]
    assert TrackerPlan(str(untrained_weights), "other", batch=4).made_by() == base
    names = {"default": "ebtrack", "a/b/best.safetensors": "best", "opencv:KCF": "KCF", "python:a.b:Mine": "Mine"}
    assert {text: tracker_name(text) for text in names} == names


def test_one_at_a_time_writes_into_a_folder(tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(ResultsError, match="another `ebtrack evaluate`"), alone_in(tmp_path):
        pass
    with alone_in(tmp_path):
        pass


def test_a_killed_writers_remains_are_replaced(tmp_path: Path) -> None:
    (tmp_path / ".one.txt.partial").write_text("1,2")
    write_result(tmp_path, Result("one", np.ones((2, 4))), {})
    assert len(read_result(tmp_path, "one").boxes) == 2
    assert not list(tmp_path.rglob("*.partial"))
