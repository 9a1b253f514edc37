"""The engine of one machine: processes that track, each on a device, fed by this one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from evaluation.lockstep import AnnotatedSequence
from evaluation.results import Result
from evaluation.runner.plan import TrackerPlan
from evaluation.runner.reading import follow_parent
from evaluation.runner.work import Failed, Progress, Report, Reporter, work

Place = tuple[str, int]
"""A device, and how many processes decode frames for it."""


class WorkerError(ValueError):
    """Tracking processes cannot run here; the message says why."""


def places(devices: Sequence[str], workers: int) -> list[Place]:
    """Where tracking processes run: ``workers`` of them on the CPU, one on every other device, with so many readers."""
    found: list[Place] = []
    for device in devices:
        found += [("cpu", 1)] * workers if device == "cpu" else [(device, workers)]
    return found


def run_locally(
    plan: TrackerPlan, places: Sequence[Place], sequences: Sequence[AnnotatedSequence], report: Reporter
) -> None:
    """Tracks all sequences; whoever has room takes the next one, in their order.

    Args:
        plan: the tracker.
        places: of the tracking processes; no more are started than there are sequences.
        sequences: to be tracked.
        report: called here with what the processes report. Where one dies, its sequences count as failed, and another
            one takes its place.

    Raises:
        WorkerError: a process died before it was given a sequence.
    """
    waiting = deque(sequences)
    workers = [_Worker(plan, place) for place in places[: len(waiting)]]
    try:
        while workers:
            for ready in wait([worker.connection for worker in workers]):
                worker = next(worker for worker in workers if worker.connection is ready)
                try:
                    worker.take(waiting, report)
                except (EOFError, OSError):
                    workers.remove(worker)
                    if worker.ended(report) and waiting:
                        workers.append(_Worker(plan, worker.place))
    finally:
        for worker in workers:
            worker.process.terminate()
            worker.process.join()


@dataclass
class _Worker:
    """This side of a tracking process."""

    plan: TrackerPlan
    place: Place
    in_work: dict[str, int] = field(default_factory=dict)
    """The frame that each of its sequences has come to."""

    def __post_init__(self) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_track, args=(theirs, self.plan, *self.place))
        self.process.start()
        theirs.close()

    def take(self, waiting: deque[AnnotatedSequence], report: Reporter) -> None:
        """Handles one message: a report, or None for "a sequence, please".

        Raises:
            EOFError, OSError: the process has ended.
        """
        message: Report | None = self.connection.recv()
        if message is None:
            sequence = waiting.popleft() if waiting else None
            if sequence:
                self.in_work[sequence.name] = 0
            self.connection.send(sequence)
            return
        if isinstance(message, Progress):
            self.in_work[message.name] = message.frame
        else:
            del self.in_work[message.name]
        report(message)

    def ended(self, report: Reporter) -> bool:
        """Tells how it ended: whether it died over sequences, which are reported as failed.

        Raises:
            WorkerError: it died over none.
        """
        self.process.join()
        code = self.process.exitcode
        for name, frame in self.in_work.items():
            report(Failed(name, frame, f"the tracking process died ({_cause(code)})"))
        if code and not self.in_work:
            raise WorkerError(f"a tracking process died before it began ({_cause(code)}); it says why above")
        return bool(self.in_work)


def _cause(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _track(connection: Connection, plan: TrackerPlan, device: str, readers: int) -> None:
    """The tracking process."""
    follow_parent()

    def asked() -> Iterator[AnnotatedSequence]:
        while True:
            connection.send(None)
            sequence = connection.recv()
            if sequence is None:
                return
            yield sequence

    def report(message: Progress | Failed | Result) -> None:
        connection.send(message)

    work(plan, device, readers, asked(), report)
