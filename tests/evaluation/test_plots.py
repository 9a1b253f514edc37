"""The style that the figures share."""

from pathlib import Path

import cv2
import matplotlib

from evaluation.plots import COLUMN, DPI, FIRST, line_styles, new_figure, print_style, save_figure, shortened


def test_thirty_trackers_are_drawn_in_thirty_ways_and_the_first_stands_out() -> None:
    styles = line_styles([str(i) for i in range(31)])
    looks = {(style["color"], str(style["linestyle"])) for name, style in styles.items() if name != "0"}
    assert len(looks) == 30
    assert styles["0"]["color"] == FIRST
    assert FIRST not in {colour for colour, _ in looks}
    assert styles["0"]["linewidth"] > max(style["linewidth"] for name, style in styles.items() if name != "0")


def test_a_figure_is_saved_for_print_and_the_same_twice(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    for folder in ("one", "two"):
        with print_style():
            figure = new_figure(COLUMN, 2)
            figure.subplots().plot([0, 1], [1, 0], label="a")
            save_figure(figure, tmp_path / folder, "line")
    picture = cv2.imread(str(tmp_path / "one" / "line.png"))
    assert picture is not None
    assert picture.shape == (2 * DPI, COLUMN * DPI, 3)
    assert (picture[0, 0] == 255).all()
    one, two = ((tmp_path / folder / "line.svg").read_bytes() for folder in ("one", "two"))
    assert one.startswith(b"<?xml")
    assert one == two
    assert dict(matplotlib.rcParams) == before


def test_a_long_name_keeps_its_ends() -> None:
    assert shortened("a" * 24) == "a" * 24
    short = shortened("tracker_of_many_words_seed12")
    assert len(short) == 24
    assert short.startswith("tracker")
    assert short.endswith("seed12")


def test_a_name_is_drawn_as_it_is_and_not_as_a_formula(tmp_path: Path) -> None:
    with print_style():
        figure = new_figure(COLUMN, 2)
        figure.subplots().set_title(r"$\nothing that TeX knows$")
        save_figure(figure, tmp_path, "name")
    assert (tmp_path / "name.png").is_file()
