"""What the diagrams show: the lines' numbers, the legends' order, the boxes' places."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from evaluation.calibration import calibrate
from evaluation.plots import FIRST, line_styles, new_figure, print_style
from evaluation.report.calibration_plots import calibration_figure
from evaluation.report.comparison_plots import difference_figure, draw_radar, radar_figure, speed_figure
from evaluation.report.curve_plots import Line, Panel, curves_figure, draw_panel
from evaluation.report.film import FRAMES, TRUTH, Reel, film_figure
from evaluation.report.material import Answers
from tests.clips import picture

STYLES = line_styles(["ours", "better", "worse"])
AT = np.linspace(0, 1, 5)
BOX = np.array([16.0, 20.0, 24.0, 24.0])


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with print_style():
        yield


def panel(lowest_first: bool = False) -> Panel:
    lines = [
        Line(name, AT, value * (1 - AT), value) for name, value in (("ours", 0.5), ("worse", 0.25), ("better", 0.75))
    ]
    return Panel("success", "Success", "IoU above", "share", "AUC", lines, 0.25, lowest_first)


def legend_of(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_legend_has_the_figures_the_best_first_and_the_first_tracker_stands_out() -> None:
    axes: Any = new_figure(3, 3).subplots()
    draw_panel(axes, panel(), STYLES)
    assert legend_of(axes) == ["0.750  better", "0.500  ours", "0.250  worse"]
    bold = [text.get_text() for text in axes.get_legend().get_texts() if text.get_fontweight() == "bold"]
    assert bold == ["0.500  ours"]
    ours = next(line for line in axes.lines if line.get_label() == "0.500  ours")
    np.testing.assert_array_equal(ours.get_ydata(), 0.5 * (1 - AT))
    assert to_hex(ours.get_color()) == FIRST
    # The threshold at which the legend's numbers are read is marked.
    assert any(list(line.get_xdata()) == [0.25, 0.25] for line in axes.lines)


def test_a_risk_is_better_the_lower_it_is() -> None:
    axes: Any = new_figure(3, 3).subplots()
    draw_panel(axes, panel(lowest_first=True), STYLES)
    assert legend_of(axes) == ["0.250  worse", "0.500  ours", "0.750  better"]


def test_legends_hide_no_line() -> None:
    figure = curves_figure([panel()] * 3, STYLES)
    figure.canvas.draw()
    axes: Any
    for axes in figure.axes:
        assert not axes.get_legend().get_window_extent().overlaps(axes.get_window_extent())
        inside = axes.get_legend().get_window_extent()
        assert figure.bbox.x0 <= inside.x0
        assert inside.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= inside.y0


def test_a_radar_has_a_closed_line_a_tracker_and_no_labels_over_one_another() -> None:
    labels = [f"attribute of some length {i} (7)" for i in range(16)]
    values = {"ours": [0.5] * 15 + [0.73], "worse": [0.25] * 16}
    figure = radar_figure(labels, values, STYLES, "AUC")
    axes: Any = figure.axes[0]
    assert [line.get_ydata()[[0, 15, 16]].tolist() for line in axes.lines] == [[0.5, 0.73, 0.5], [0.25] * 3]
    assert axes.get_ylim() == pytest.approx((0, 0.8))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 16
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_an_attribute_without_a_value_leaves_a_gap() -> None:
    axes: Any = new_figure(3, 3).subplots(subplot_kw={"projection": "polar"})
    draw_radar(axes, ["a", "b", "c"], {"ours": [0.5, np.nan, 0.1]}, STYLES)
    assert np.isnan(axes.lines[0].get_ydata()[1])


def test_differences_stand_from_the_top_with_their_intervals() -> None:
    figure = difference_figure(
        ["better", "worse"], [(-0.1, -0.2, 0.0), (0.2, 0.1, 0.3)], ["p = 0.04", "p < 0.001"], "", ""
    )
    axes: Any = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["better", "worse"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()] == [[-0.2, 0.0], [0.1, 0.3]]


def test_speeds_are_named_in_the_legend() -> None:
    figure = speed_figure({"ours": 29.6, "better": 3.14, "worse": 1234.0}, dict.fromkeys(STYLES, 0.5), STYLES, "AUC")
    assert legend_of(figure.axes[0]) == ["1,234  worse", "30  ours", "3.1  better"]


def answers(levels: int) -> Answers:
    boxes = np.tile(BOX, (6, 1))
    truth = boxes + np.array([0, 0, 1, 40, 0, 0])[:, None] * [1, 0, 0, 0]
    truth[5] = np.nan
    ends = np.tile(boxes, (levels, 1, 1))
    return Answers(truth, boxes, np.array([np.nan, 0.9, 0.8, 0.1, 0.9, 0.2]), ends - 20, ends + 20)


def test_calibration_has_a_diagram_of_intervals_where_there_are_some() -> None:
    with_intervals = calibration_figure(calibrate([answers(2)]), (0.9, 0.5), "ours")
    titles = [axes.get_title() for axes in with_intervals.axes]
    assert {"Presence: reliability", "Intervals: coverage", "Intervals: sharpness"} <= set(titles)
    without = calibration_figure(calibrate([answers(0)]), (), "ours")
    assert not any("Intervals" in axes.get_title() for axes in without.axes)
    labels = [text.get_text() for axes in without.axes for text in axes.texts]
    assert "lost: IoU < 0.1 (1 frames)" in labels
    assert "target absent (1 frames)" in labels


def test_a_filmstrip_shows_both_boxes_where_they_are() -> None:
    path = BOX + np.arange(12)[:, None] * [1.0, 0, 0, 0]
    boxes = path.copy()
    boxes[4:, 0] = 70
    truth, absent = path.copy(), np.arange(12) == 9
    truth[absent] = np.nan
    presence = np.concatenate(([np.nan], np.linspace(1, 0.12, 11)))
    reel = Reel("lost: AUC 0.3", truth, absent, boxes, presence, (picture(i) for i in range(12)))
    figure = film_figure([reel], "ours")
    assert len(figure.axes) == FRAMES + 1
    first: Any
    last: Any
    strip: Any
    first, last, strip = figure.axes[0], figure.axes[FRAMES - 1], figure.axes[FRAMES]
    assert [text.get_text() for text in first.texts] == ["given", "0, first", "lost: AUC 0.3"]
    assert [text.get_text() for text in last.texts] == ["IoU 0.00, P 0.12", "11"]
    drawn = {
        to_hex(p.get_edgecolor()): (*p.get_xy(), p.get_width(), p.get_height())
        for p in last.patches
        if isinstance(p, Rectangle)
    }
    assert drawn == {TRUTH: (27, 20, 24, 24), FIRST: (70, 20, 24, 24)}
    assert any("lost" in text.get_text() for axes in figure.axes for text in axes.texts)
    # Presence and IoU, over a shade where the target is absent.
    np.testing.assert_array_equal(strip.lines[-2].get_ydata(), presence)
    assert np.isnan(strip.lines[-1].get_ydata()[9])
    assert len(strip.collections) == 1
