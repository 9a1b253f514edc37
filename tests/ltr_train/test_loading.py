"""Batches by number, from workers or from plans."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Corpus
from ltr_train.data.pairs import PairDataset
from ltr_train.data.render import renderer_for
from ltr_train.distributed import World
from ltr_train.loading import Batch, batches, usual_workers
from networks.config import ModelConfig
from tests.scenery import scenery

CPU = torch.device("cpu")


class Numbers(Dataset[Any]):
    """Its index, as any ready-made data set might give it."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"number": np.array(index)}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return scenery()


def same(first: list[Batch], second: list[Batch]) -> bool:
    """Whether all tensors are equal."""
    return len(first) == len(second) and all(
        a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
        for a, b in zip(first, second, strict=True)
    )


def numbers(steps: range, **settings: Any) -> list[list[int]]:
    return [batch["number"].tolist() for batch in batches(Numbers(), steps, 3, 0, CPU, **settings)]


def test_batches_go_by_the_number_of_the_step() -> None:
    assert numbers(range(2)) == [[0, 1, 2], [3, 4, 5]]
    assert numbers(range(1, 3)) == [[3, 4, 5], [6, 7, 8]]
    assert numbers(range(2, 2)) == []


def test_processes_share_the_batch_of_a_step() -> None:
    parts = [numbers(range(1, 3), world=World(rank, 2)) for rank in range(2)]
    assert [a + b for a, b in zip(*parts, strict=True)] == [list(range(6, 12)), list(range(12, 18))]


@pytest.mark.parametrize("make", ["device", "workers"])
def test_neither_workers_nor_resuming_change_a_batch(corpus: Corpus, make: Any) -> None:
    pairs = PairDataset(corpus, PairConfig(holdout=0.0), 7, ModelConfig(template_size=64, search_size=128))
    renderer = renderer_for(corpus, CPU, make, 1.0)
    whole = list(batches(pairs, range(3), 4, 0, CPU, renderer))
    assert same(whole[1:], list(batches(pairs, range(1, 3), 4, 1, CPU, renderer)))
    assert whole[0]["template"].shape == (4, 64, 64, 3)
    assert whole[0]["search"].shape == (4, 128, 128, 3)
    assert whole[0]["search"].dtype == torch.uint8
    assert whole[0]["present"].dtype == torch.bool


def test_both_ways_give_the_same_pairs(corpus: Corpus) -> None:
    pairs = PairDataset(corpus, PairConfig(holdout=0.0), 7)
    workers, device = (
        next(batches(pairs, range(5, 6), 6, 0, CPU, renderer_for(corpus, CPU, make, 1.0)))
        for make in ("workers", "device")
    )
    assert workers.keys() == device.keys()
    for name, value in workers.items():
        assert value.dtype == device[name].dtype
        if name in ("template", "search"):
            assert (value.int() - device[name].int()).abs().float().mean() < 2.0
        else:
            assert torch.equal(value, device[name])


def test_only_plans_can_be_rendered(corpus: Corpus) -> None:
    with pytest.raises(ValueError, match="plans of a PairDataset, but this is a Numbers"):
        batches(Numbers(), range(1), 2, 0, CPU, renderer_for(corpus, CPU, "device", 1.0))


def test_workers_fit_the_device_and_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usual_workers(torch.device("cpu")) == 1
    for cores, processes, expected in ((64, "1", 8), (8, "1", 6), (2, "1", 1), (64, "16", 2), (8, "8", 1)):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
        assert usual_workers(torch.device("cuda")) == expected
