"""The work of the stages: all of it, each once, and bytes as they are."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from benchmarks.cost import Multiplications
from benchmarks.rates import Rates, extent
from benchmarks.stages import PARTS, REST, Operators, Stages, count, measure, show
from benchmarks.turns import load_with
from tracker.config import TrackerConfig
from tracker.online import Tracker

RATES = Rates(matrix=1e9, convolution=2e9, cache=1e9, memory=1e8)
FRAME = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def tracked() -> Tracker:
    tracker = load_with("torch", "default", config=TrackerConfig(search=False))
    tracker.init(FRAME, (60, 40, 30, 40))
    return tracker


def test_the_stages_share_the_work_of_a_frame(tracked: Tracker) -> None:
    work = count(tracked, [FRAME] * 2, RATES)
    assert list(work) == [*PARTS, REST]
    with Multiplications() as whole:
        tracked.update(FRAME)
    assert sum(of.products for of in work.values()) == pytest.approx(whole.millions)
    for stage in ("features", "proposal", "sampling", "pooling", "energy", "refinement"):
        assert 0 < work[stage].product_bytes < work[stage].bytes
        # At least the products at the greatest rate.
        assert work[stage].floor_s >= 1e6 * work[stage].products / RATES.convolution * (1 - 1e-9)
    assert work["features"].products == max(of.products for of in work.values())
    assert work[REST].products < 0.1
    assert work[REST].operators > 0


def watched() -> list[Callable[..., object]]:
    return [getattr(home, name) for parts in PARTS.values() for home, name in parts]


def test_the_stages_share_the_time_of_a_frame(tracked: Tracker) -> None:
    before = watched()
    seconds = measure(tracked, [FRAME] * 4, PARTS)
    assert list(seconds) == [*PARTS, REST]
    assert min(seconds.values()) > 0
    rows = show(count(tracked, [FRAME], RATES), seconds)
    assert list(rows.columns[0].cells) == [*PARTS, REST, "all"]
    shares = [int(cell.split()[0]) for cell in rows.columns[-1].cells]  # type: ignore[union-attr]
    assert sum(shares[:-1]) == pytest.approx(100, abs=len(shares) / 2)
    # What was watched is as it was.
    assert watched() == before


def test_refinement_keeps_what_it_calls_and_others_do_not() -> None:
    stages = Stages()
    with stages.inside("energy"), stages.inside("pooling"):
        assert stages.now == "pooling"
    with stages.inside("refinement"), stages.inside("pooling"):
        assert stages.now == "refinement"
    assert stages.now == REST


def test_bytes_are_those_that_an_operator_moves() -> None:
    a, b = torch.zeros(10, 20), torch.zeros(20, 30)
    stages = Stages()
    with Operators(stages, RATES) as counted:
        product = a @ b
        product.T.reshape(5, 60).unsqueeze(0)
        assert counted.work[REST].bytes == 4 * (200 + 600 + 300) + 2 * 4 * 300  # the transpose is copied, no other view
        assert counted.work[REST].operators == 2
        with stages.inside("pooling"):
            b.mul_(2)
    work = counted.work[REST]
    assert work.products == pytest.approx(10 * 20 * 30 / 1e6)
    assert work.product_bytes == 4 * (200 + 600 + 300)
    assert work.floor_s == pytest.approx(max(6000 / 2e9, 4400 / 1e9))
    assert counted.work["pooling"].bytes == 2 * 4 * 600
    assert extent(torch.zeros(1, 20).expand(500, 20)) == 80
