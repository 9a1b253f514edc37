"""The engine of many machines: workers on a Ray cluster, fed and heard by this process, which alone writes.

Every machine needs the same ebtrack, and the benchmark and the weights at the same paths; the folder of results is this
machine's.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from evaluation.lockstep import AnnotatedSequence
from evaluation.runner.local import WorkerError
from evaluation.runner.plan import TrackerPlan, source_checksum
from evaluation.runner.run import Engine
from evaluation.runner.work import Failed, Progress, Report, Reporter, work

POLL_S = 0.3


def ray_engine(devices: Sequence[str], workers: int) -> Engine:
    """Workers on the Ray cluster that RAY_ADDRESS names or that runs here, or on one that is started here.

    Args:
        devices: where a GPU is among them, a worker takes a whole GPU of the cluster; else a CPU.
        workers: how many; those for which the cluster has no room wait.

    Raises:
        ValueError: Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise ValueError("--engine ray needs Ray: pip install 'ebtrack[ray]'") from error
    kind = torch.device(devices[0]).type

    def run(plan: TrackerPlan, sequences: Sequence[AnnotatedSequence], report: Reporter) -> None:
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False)
        board = ray.remote(_Board).options(num_cpus=0, max_concurrency=1).remote(list(sequences))
        gpus = 1 if kind == "cuda" and not plan.contestant else 0
        task = ray.remote(_work).options(num_cpus=1, num_gpus=gpus, max_retries=0, scheduling_strategy="SPREAD")
        device = "cuda" if gpus else "cpu"
        checksum = source_checksum()
        tasks = {
            task.remote(board, number, plan, device, checksum): number for number in range(min(workers, len(sequences)))
        }
        in_work: dict[int, dict[str, int]] = {number: {} for number in tasks.values()}
        running = list(tasks)
        dead: list[WorkerError] = []
        while running:
            ended, running = ray.wait(running, num_returns=1, timeout=POLL_S)
            _pass_on(ray.get(board.take.remote()), in_work, report)
            for reference in ended:
                try:
                    ray.get(reference)
                except ray.exceptions.RayError as error:
                    dead.append(WorkerError(f"a worker on the cluster died: {_first_line(error)}"))
                    for name, frame in in_work[tasks[reference]].items():
                        report(Failed(name, frame, str(dead[-1])))
        left = ray.get(board.remaining.remote())
        for sequence in left:
            report(Failed(sequence, 0, str(dead[0]) if dead else "no worker took it"))

    return run


def _pass_on(taken: list[tuple[int, str | Report]], in_work: dict[int, dict[str, int]], report: Reporter) -> None:
    """Hands on what workers said since the last time; a name alone is a sequence that a worker was given."""
    for number, message in taken:
        if isinstance(message, str):
            in_work[number][message] = 0
        elif isinstance(message, Progress):
            in_work[number][message.name] = message.frame
            report(message)
        else:
            del in_work[number][message.name]
            report(message)


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


class _Board:
    """Hands out sequences and collects reports, on the cluster."""

    def __init__(self, sequences: list[AnnotatedSequence]) -> None:
        self._waiting = deque(sequences)
        self._said: list[tuple[int, str | Report]] = []

    def next(self, worker: int) -> AnnotatedSequence | None:
        """The next sequence for a worker."""
        if not self._waiting:
            return None
        sequence = self._waiting.popleft()
        self._said.append((worker, sequence.name))
        return sequence

    def say(self, worker: int, reports: list[Report]) -> None:
        """A worker's reports."""
        self._said += [(worker, report) for report in reports]

    def take(self) -> list[tuple[int, str | Report]]:
        """What was said since the last time."""
        said, self._said = self._said, []
        return said

    def remaining(self) -> list[str]:
        """Names of the sequences that nobody took."""
        return [sequence.name for sequence in self._waiting]


def _work(board: Any, number: int, plan: TrackerPlan, device: str, checksum: str) -> None:
    """A worker."""
    import ray

    if source_checksum() != checksum:
        raise WorkerError("the machine has another version of ebtrack than the one that began")
    pending: list[Report] = []
    sent = time.monotonic()

    def report(message: Report) -> None:
        # Frames are many, and a call costs more here than on one machine.
        nonlocal sent
        pending.append(message)
        if not isinstance(message, Progress) or time.monotonic() - sent > POLL_S:
            ray.get(board.say.remote(number, list(pending)))
            pending.clear()
            sent = time.monotonic()

    def asked() -> Iterator[AnnotatedSequence]:
        while (sequence := ray.get(board.next.remote(number))) is not None:
            yield sequence

    work(plan, device, 1, asked(), report)
