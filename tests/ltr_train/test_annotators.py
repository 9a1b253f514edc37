"""How boxes are drawn: alike in both views, and as far off as said."""

import numpy as np
import pytest

from ltr_train.data.annotators import boxed, drawn
from ltr_train.data.config import PairConfig
from ltr_train.data.geometry import bounds, superellipse

WHOLE = superellipse((10.0, 20.0, 40.0, 80.0)), superellipse((-5.0, 3.0, 20.0, 60.0))


def relative(outline: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(left, top, width, height) of an outline's box in sides of another's."""
    x, y, w, h = bounds(whole)
    left, top, width, height = bounds(outline)
    return np.array([(left - x) / w, (top - y) / h, width / w, height / h])


def test_the_same_part_is_boxed_in_both_views() -> None:
    config = PairConfig(redrawn=1.0)
    parts = []
    for seed in range(300):
        template, search = boxed(config, np.random.default_rng(seed), *WHOLE)
        parts.append(relative(template, WHOLE[0]))
        np.testing.assert_allclose(parts[-1], relative(search, WHOLE[1]), atol=1e-9)
    start, share = np.array(parts)[:, :2], np.array(parts)[:, 2:]
    assert ((share > 0.5 - 1e-9) & (share < 1.2 + 1e-9)).all()
    # A part lies within the object, and a margin about it.
    within = share <= 1.0
    assert (start[within] >= -1e-9).all()
    assert ((start + share)[within] <= 1.0 + 1e-9).all()
    assert (start[~within] <= 1e-9).all()
    assert ((start + share)[~within] >= 1.0 - 1e-9).all()
    changed = np.abs(share - 1.0) > 1e-9
    assert changed.any(1).all()
    np.testing.assert_allclose(changed.mean(0), (0.75, 0.5), atol=0.1)


def test_mostly_the_whole_object_is_boxed() -> None:
    config = PairConfig(redrawn=0.25)
    results = [boxed(config, np.random.default_rng(seed), *WHOLE) for seed in range(400)]
    whole = [template is WHOLE[0] and search is WHOLE[1] for template, search in results]
    assert np.mean(whole) == pytest.approx(0.75, abs=0.08)


def test_drawn_boxes_scatter_as_much_as_said() -> None:
    rng = np.random.default_rng(0)
    x, y, w, h = np.array([drawn((10.0, 20.0, 40.0, 80.0), rng, 0.03, 0.06) for _ in range(4000)]).T
    assert np.std((x + 0.5 * w) / 40) == pytest.approx(0.03, rel=0.1)
    assert np.std((y + 0.5 * h) / 80) == pytest.approx(0.03, rel=0.1)
    assert np.std(np.log(w)) == pytest.approx(0.06, rel=0.1)
    assert np.std(np.log(h)) == pytest.approx(0.06, rel=0.1)
    assert np.mean(x + 0.5 * w) == pytest.approx(30.0, abs=0.1)
    assert drawn((10.0, 20.0, 40.0, 80.0), rng, 0.0, 0.0) == pytest.approx((10.0, 20.0, 40.0, 80.0))
