"""Many visitors of `ebtrack serve` at once: shares, throughput and latency.

python benchmarks/visitors.py [--visitors 8] [--seconds 20] [--threads N] [--device cpu]

A server process, and in this one visitors over real WebSockets: each tracks the cup of the bundled clip, begins at a
frame of its own, and sends the next frame as soon as the last one's result is there. First one visitor alone, then all
of them together, then one alone again, so that a machine that slows down is seen. Latency is from sending a frame to
its result. The share of a visitor is its frames over the mean of all; the visitor beyond the limit must be told that
the server is full.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import struct
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect

import ebtrack
from ebtrack.clip import CLIP_PATH, read_truth
from server.app import Settings
from server.limits import Limits
from server.run import Address, serve
from tracker.sources import open_source

WARM_S = 3.0
"""Before frames are counted: kernels are made for each new size of batch."""
APART = 9
"""Frames of the clip between the beginnings of two visitors."""


@dataclass
class Visit:
    """What one visitor saw in the time that counts."""

    latencies: list[float] = field(default_factory=list)
    seen: int = 0
    """Results in which the target was present."""

    @property
    def frames(self) -> int:
        """Results."""
        return len(self.latencies)


def run_server(ready: Connection, visitors: int, threads: int, device: str | None) -> None:
    """The server's process; it tells its port."""
    if threads:
        torch.set_num_threads(threads)
    # As fast as they can: the bound on frames a second is not what is measured.
    settings = Settings(limits=Limits(visitors=visitors, frames_per_second=1e6))
    serve(ebtrack.load(device=device), settings, Address(port=0), ready.send)


async def begin(port: int) -> ClientConnection:
    """A connection that has said hello."""
    socket = await connect(f"ws://127.0.0.1:{port}/ws", compression=None, max_size=None)
    await socket.send(json.dumps({"type": "hello", "version": 1}))
    return socket


async def visit(port: int, first: int, frames: list[bytes], boxes: np.ndarray, begin_s: float, end_s: float) -> Visit:
    """One visitor, from a frame of the clip on, forth and back through it.

    Args:
        port: of the server.
        first: the frame that it begins with, in which the target is seen.
        frames: of the clip, JPEG.
        boxes: ``[frames, 4]`` ground truth.
        begin_s: when results begin to count, by the clock of the event loop.
        end_s: when it leaves.
    """
    clock = asyncio.get_running_loop().time
    found = Visit()
    async with await begin(port) as socket:
        assert json.loads(await socket.recv())["type"] == "welcome"
        number, step = first, 1
        while clock() < end_s:
            sent = clock()
            await socket.send(struct.pack("<II", number, int(1000 * sent) % 2**32) + frames[number])
            result = json.loads(await socket.recv())
            assert result["type"] == "result", result
            if sent >= begin_s:
                found.latencies.append(clock() - sent)
                found.seen += result["targets"][0]["present"]
            if not result["targets"]:
                await socket.send(json.dumps({"type": "add", "box": boxes[first].tolist()}))
                assert json.loads(await socket.recv())["type"] == "added"
            if not 0 <= number + step < len(frames):
                step = -step
            number += step
    return found


async def together(
    count: int, port: int, frames: list[bytes], boxes: np.ndarray, seconds: float
) -> tuple[list[Visit], str]:
    """So many visitors at once, and what one more is told where they are as many as the server takes."""
    now = asyncio.get_running_loop().time()
    seen = [index for index in range(len(frames)) if not np.isnan(boxes[index, 0])]
    visits = [
        visit(port, seen[(APART * k) % len(seen)], frames, boxes, now + WARM_S, now + WARM_S + seconds)
        for k in range(count)
    ]

    all_ = asyncio.gather(*visits)
    await asyncio.sleep(WARM_S)
    async with await begin(port) as socket:
        message = json.loads(await socket.recv())
    return await all_, f"{message['type']}: {message.get('message', '')}"


def rate(visits: list[Visit], seconds: float) -> float:
    """Frames a second of all together."""
    return sum(one.frames for one in visits) / seconds


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--threads", type=int, default=0, help="of the server's networks; 0: as PyTorch chooses")
    parser.add_argument("--device")
    options = parser.parse_args()
    with open_source(str(CLIP_PATH)) as clip:
        frames = [cv2.imencode(".jpg", frame.image)[1].tobytes() for frame in clip]
    boxes = read_truth()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    arguments = (theirs, options.visitors, options.threads, options.device)
    server = context.Process(target=run_server, args=arguments, daemon=True)
    server.start()
    try:
        if not ours.poll(120):
            raise SystemExit("the server did not start within two minutes")
        port = ours.recv()
        wait_until_up(port)
        alone, all_, again = (
            asyncio.run(together(count, port, frames, boxes, options.seconds)) for count in (1, options.visitors, 1)
        )
    finally:
        server.terminate()
        server.join()
    show(options.seconds, {"one alone": alone[0], "together": all_[0], "one alone again": again[0]}, all_[1])


def wait_until_up(port: int) -> None:
    """Returns when the server takes visitors."""

    async def knock() -> None:
        async with await begin(port) as socket:
            await socket.recv()

    for _ in range(100):
        try:
            return asyncio.run(knock())
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def show(seconds: float, runs: dict[str, list[Visit]], told: str) -> None:
    """Prints the table and the figures of merit."""
    console = Console(width=110)
    table = Table("", "visitors", "frames/s", "of each", "latency p50 ms", "p95 ms", "target seen")
    for name, visits in runs.items():
        latencies = 1000 * np.concatenate([one.latencies for one in visits])
        each = [one.frames / seconds for one in visits]
        spread = f"{min(each):.1f}" if len(each) == 1 else f"{min(each):.1f} to {max(each):.1f}"
        seen = sum(one.seen for one in visits) / len(latencies)
        p50, p95 = np.percentile(latencies, (50, 95))
        values = f"{rate(visits, seconds):.1f}", spread, f"{p50:.1f}", f"{p95:.1f}", f"{seen:.2f}"
        table.add_row(name, str(len(visits)), *values)
    console.print(table)
    alone, together_, again = runs.values()
    counts = np.array([one.frames for one in together_])
    best = max(rate(alone, seconds), rate(again, seconds))
    console.print(f"throughput together over one alone (the faster): {rate(together_, seconds) / best:.2f}")
    console.print(f"shares, over their mean: {counts.min() / counts.mean():.3f} to {counts.max() / counts.mean():.3f}")
    console.print(f"one visitor more is told: {told}")


if __name__ == "__main__":
    main()
