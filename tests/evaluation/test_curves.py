"""Success and precision curves against closed forms, small cases by hand, and published tables."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.curves import NORMALISED, OVERLAPS, PIXELS, FrameErrors, frame_errors, mean_curves, sequence_curves
from evaluation.metrics import average_overlap, success_rate
from evaluation.peers import read_peer
from evaluation.sequences import read_sequences
from tests.conftest import SHARED

ABSENT = [np.nan] * 4


def test_thresholds_are_exact_and_bounds_go_to_the_strict_side_of_success_alone() -> None:
    # An IoU of exactly 3/5, a distance of exactly 20 pixels, and exactly 0.2 of the size.
    errors = FrameErrors(np.array([0.6]), np.array([20.0]), np.array([0.2]))
    curves = sequence_curves(errors)
    np.testing.assert_array_equal(curves.success, OVERLAPS < 0.59)
    np.testing.assert_array_equal(curves.precision, PIXELS >= 20)
    np.testing.assert_array_equal(curves.normalised, NORMALISED > 0.195)
    assert (curves.auc, curves.precision_20, curves.normalised_precision) == (12 / 21, 1, 1)
    assert (len(OVERLAPS), len(PIXELS), len(NORMALISED)) == (21, 51, 51)
    assert (OVERLAPS[-1], PIXELS[-1], NORMALISED[-1]) == (1, 50, 0.5)


def test_a_small_case_by_hand() -> None:
    truth = np.array([[0, 0, 40, 20], [0, 0, 40, 20], ABSENT, [100, 50, 40, 20]], float)
    boxes = np.array([[500, 500, 1, 1], [20, 0, 40, 20], [0, 0, 40, 20], [100, 71, 40, 20]], float)
    errors = frame_errors(boxes, truth)
    # The first box is given, whatever the file says; the third frame shows no target.
    np.testing.assert_allclose(errors.overlap, [1, 1 / 3, np.nan, 0])
    np.testing.assert_allclose(errors.distance, [0, 20, np.nan, 21])
    np.testing.assert_allclose(errors.normalised, [0, 0.5, np.nan, 1.05])
    curves = sequence_curves(errors)
    # Above 0, ..., 0.3: two of three frames, at seven thresholds; up to 0.95 the first alone, at thirteen; then none.
    np.testing.assert_allclose(curves.success, [2 / 3] * 7 + [1 / 3] * 13 + [0])
    assert curves.auc == pytest.approx((7 * 2 + 13) / 3 / 21)
    assert curves.precision_20 == pytest.approx(2 / 3)
    assert curves.normalised_precision == pytest.approx(1 / 3)
    assert curves.normalised[-1] == pytest.approx(2 / 3)


def test_sequences_weigh_the_same_whatever_their_length() -> None:
    perfect = sequence_curves(FrameErrors(np.ones(99), np.zeros(99), np.zeros(99)))
    lost = sequence_curves(FrameErrors(np.zeros(2), np.full(2, 1e3), np.full(2, 1e3)))
    mean = mean_curves([perfect, lost])
    # A perfect box is above every threshold but 1.
    np.testing.assert_allclose((perfect.auc, lost.auc), (20 / 21, 0))
    np.testing.assert_allclose((mean.auc, mean.precision_20, mean.normalised_precision), (10 / 21, 0.5, 0.5))


def test_auc_is_the_mean_overlap_but_for_the_steps_of_the_thresholds() -> None:
    overlap = np.random.default_rng(0).random(20_000)
    curves = sequence_curves(FrameErrors(overlap, overlap, overlap))
    np.testing.assert_allclose(curves.success, 1 - OVERLAPS, atol=0.015)
    assert curves.auc == pytest.approx(overlap.mean(), abs=0.01)


boxes_of = st.tuples(*[st.floats(-50, 200)] * 2, *[st.floats(1, 120)] * 2)


@given(st.lists(st.tuples(boxes_of, boxes_of, st.booleans()), min_size=1, max_size=30))
def test_curves_are_shares_that_fall_and_rise(frames: list[tuple[tuple[float, ...], tuple[float, ...], bool]]) -> None:
    boxes = np.array([box for box, _, _ in frames])
    truth = np.array([box if there or not at else ABSENT for at, (_, box, there) in enumerate(frames)])
    curves = sequence_curves(frame_errors(boxes, truth))
    for values in curves:
        assert ((values >= 0) & (values <= 1)).all()
    assert (np.diff(curves.success) <= 0).all()
    assert (np.diff(curves.precision) >= 0).all()
    assert (np.diff(curves.normalised) >= 0).all()


# tracker: AUC, precision at 20 px, normalised precision, AO, SR0.5, SR0.75, as they were published with the boxes.
PEERS = {
    "fear_xs": (0.650, 0.837, 0.817, 0.659, 0.818, 0.545),
    "nano_v2_ort": (0.630, 0.820, 0.786, 0.637, 0.805, 0.457),
    "nano_v2": (0.611, 0.802, 0.757, 0.617, 0.779, 0.429),
    "nano_v3_ort": (0.608, 0.783, 0.748, 0.615, 0.757, 0.439),
    "csrt": (0.520, 0.678, 0.579, 0.523, 0.603, 0.339),
    "mil": (0.377, 0.564, 0.383, 0.374, 0.387, 0.156),
    "kcf": (0.282, 0.357, 0.283, 0.278, 0.281, 0.168),
    "static": (0.189, 0.217, 0.134, 0.182, 0.160, 0.051),
}


@pytest.mark.skipif(not (SHARED / "peers" / "results").is_dir(), reason=f"no boxes of other trackers in {SHARED}")
def test_the_table_of_other_trackers_comes_out_to_three_decimals() -> None:
    sequences = read_sequences(SHARED / "sequences")
    sizes = [next(s.frames()).shape[1::-1] for s in sequences]

    def inside(boxes: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
        # The table's AO and SR are those of boxes cut at the frame's border, which changes those of csrt.
        low, high = np.clip(boxes[:, :2], 0, size), np.clip(boxes[:, :2] + boxes[:, 2:], 0, size)
        return np.concatenate((low, high - low), 1)

    for name, published in PEERS.items():
        boxes = read_peer(SHARED / "peers" / "results" / name, sequences)
        mean = mean_curves(
            [sequence_curves(frame_errors(b, s.groundtruth)) for b, s in zip(boxes, sequences, strict=True)]
        )
        cut = [
            (inside(b, size), inside(s.groundtruth, size)) for b, s, size in zip(boxes, sequences, sizes, strict=True)
        ]
        found = np.array(
            [
                mean.auc,
                mean.precision_20,
                mean.normalised_precision,
                np.mean([average_overlap(*pair) for pair in cut]),
                np.mean([success_rate(*pair, 0.5) for pair in cut]),
                np.mean([success_rate(*pair, 0.75) for pair in cut]),
            ]
        )
        np.testing.assert_allclose(found, np.array(published), atol=5.1e-4, rtol=0, err_msg=name)


DTB70 = SHARED / "metric_check" / "dtb70"


@pytest.mark.skipif(not DTB70.is_dir(), reason=f"no published results of DTB70 in {SHARED}")
@pytest.mark.parametrize("tracker", ["AutoTrack", "KCF"])
def test_published_figures_of_dtb70_come_out_to_three_decimals(tracker: str) -> None:
    with (DTB70 / "published.csv").open() as rows:
        published = next(row for row in csv.DictReader(rows) if row["tracker"] == tracker)
    curves = []
    for file in sorted((DTB70 / "anno").glob("*.txt")):
        truth, boxes = (read_numbers(path) for path in (file, DTB70 / "results" / tracker / file.name))
        with np.errstate(divide="ignore"):  # some annotations have no size
            errors = frame_errors(boxes, truth)
        # OTB's code marks frames whose annotation has an entry that is not positive, and then counts the marks.
        marked = (truth <= 0).any(1)
        curves.append(sequence_curves(FrameErrors(*(np.where(marked, -1.0, values) for values in errors))))
    assert len(curves) == 70
    mean = mean_curves(curves)
    assert mean.auc == pytest.approx(float(published["success_auc"]), abs=5.1e-4)
    assert mean.precision_20 == pytest.approx(float(published["precision20"]), abs=5.1e-4)


def read_numbers(file: Path) -> np.ndarray:
    return np.array(file.read_text().replace(",", " ").split(), float).reshape(-1, 4)
