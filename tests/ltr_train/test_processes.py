"""Runs as users start them: killed and resumed, and by torchrun in two processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from networks.weights import load_weights

SLOW_CLOCK = {"pairs_per_second", "waiting"}


def command(out: Path, corpus: Path, *more: str) -> list[str]:
    settings = (f"data.root={corpus}", "mixed_precision=false", "validate_every=6", "steps=12", *more)
    return ["train", "default", "--tiny", "--out", str(out), "--device", "cpu"] + [
        part for entry in settings for part in ("--set", entry)
    ]


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


def log(out: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name not in SLOW_CLOCK} for row in rows]


def same_weights(a: Path, b: Path) -> None:
    ours, theirs = load_weights(a)[0].state_dict(), load_weights(b)[0].state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_killed_in_the_middle_and_resumed_a_run_gives_the_same_weights(tmp_path: Path, corpus: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run("ebtrack", *command(whole, corpus))
    process = subprocess.Popen(
        [sys.executable, "-m", "ebtrack", *command(cut, corpus)], env=environment(), stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not (cut / "checkpoint.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was to be killed in the middle"
    run("ebtrack", *command(cut, corpus), "--resume")
    same_weights(cut / "last.safetensors", whole / "last.safetensors")
    same_weights(cut / "weights.safetensors", whole / "weights.safetensors")
    assert log(cut) == log(whole)


@pytest.mark.parametrize("method", ["joint", "teacher"])
def test_two_processes_train_as_one_with_the_doubled_batch(tmp_path: Path, corpus: Path, method: str) -> None:
    more = ("model.score=proposal", "method=teacher") if method == "teacher" else ()
    one, two = tmp_path / "one", tmp_path / "two"
    run("ebtrack", *command(one, corpus, "batch=8", *more))
    torchrun = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "ebtrack")
    run(*torchrun, *command(two, corpus, "batch=4", *more))
    curves = [[(row["step"], row["loss"], row["gradient_norm"]) for row in log(out)] for out in (one, two)]
    assert len(curves[0]) == 6
    # Float tolerance: a batch in another order alone changes gradients by parts in a thousand.
    for ours, theirs in zip(*curves, strict=True):
        assert theirs == pytest.approx(ours, rel=0.02)
    losses = [row[1] for row in curves[0]]
    assert max(losses) - min(losses) > 0.5, "the losses are to change by more than the tolerance"
    buffers = (dict(load_weights(out / "last.safetensors")[0].named_buffers()) for out in (one, two))
    for ours, theirs in zip(*(found.values() for found in buffers), strict=True):
        torch.testing.assert_close(theirs, ours, rtol=0.02, atol=2e-3)
    record = load_weights(two / "last.safetensors")[1].training
    assert record["batch"] == 8
