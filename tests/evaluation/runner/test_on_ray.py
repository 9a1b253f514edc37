"""The engine of many machines, on a local cluster of two nodes."""

from pathlib import Path

import pytest

from evaluation.runner import TrackerPlan, evaluate
from evaluation.runner.on_ray import ray_engine
from evaluation.runner.run import local_engine
from evaluation.sequences import read_sequences
from tests.evaluation.runner.test_evaluate import files_of

ray = pytest.importorskip("ray", reason="needs the extra ray: pip install 'ebtrack[ray]'")


def test_two_nodes_give_the_bytes_of_one_machine(root: Path, tmp_path: Path, untrained_weights: Path) -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        plans = [TrackerPlan(str(untrained_weights), "ours"), TrackerPlan("python:mine:Tracker", "theirs")]
        # The nodes began elsewhere, and do not find the class: its sequences fail, and nothing else does.
        ours, theirs = evaluate(read_sequences(root), tmp_path / "ray", plans, ray_engine(["cpu"], 2))
        assert (ours.done, ours.failed) == (3, [])
        assert theirs.done + len(theirs.failed) == 3
    finally:
        ray.shutdown()
        cluster.shutdown()
    evaluate(read_sequences(root), tmp_path / "local", plans[:1], local_engine(["cpu"], 1))
    assert {k: v for k, v in files_of(tmp_path / "ray").items() if k.startswith("ours")} == files_of(tmp_path / "local")
