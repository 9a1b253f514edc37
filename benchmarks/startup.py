"""Start-up: how long until a command has answered, over how long PyTorch alone takes to import.

python benchmarks/startup.py [--rounds 9] [--threads 2] [--json FILE]

Each round starts every command once, in a process of its own, from the interpreter's start on: `python -c "import
torch"`, `ebtrack --help` and `ebtrack info` until they end, and `ebtrack track` on the bundled clip until the first box
that it estimated stands in `boxes.csv`. The ratio is the result: the median over the rounds of a command's time over
that of PyTorch's import in the same round.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from ebtrack.clip import CLIP_PATH, read_truth

TORCH = "import torch"
POLL_S = 0.002


def seconds_until(command: Sequence[str], table: Path | None = None) -> float:
    """Seconds from the start of a process to its end, or to the row of frame 1 in the table that it writes.

    Raises:
        RuntimeError: the process failed, or ended without that row; the message holds what it said.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = None
    while table and found is None and process.poll() is None:
        time.sleep(POLL_S)
        if _has_estimate(table):
            found = time.perf_counter() - begun
    _, said = process.communicate()
    found = time.perf_counter() - begun if table is None else found
    if process.returncode or found is None:
        raise RuntimeError(f"{' '.join(command)} gave no answer: {said.strip() or 'it said nothing'}")
    return found


def _has_estimate(table: Path) -> bool:
    return table.is_file() and any(line.startswith("1,") for line in table.read_text().splitlines(keepends=True)[1:])


def summarise(seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Of each command: its median time, its ratio to PyTorch's import in the median of the rounds, and the best one."""
    torch = np.array(seconds[TORCH])
    return {
        name: {
            "seconds": float(np.median(times)),
            "ratio": float(np.median(np.array(times) / torch)),
            "ratio_of_best": min(times) / min(torch),
        }
        for name, times in seconds.items()
    }


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of each command in each round."""
    ebtrack = [sys.executable, "-m", "ebtrack"]
    box = ",".join(f"{value:.1f}" for value in read_truth()[0])
    found: dict[str, list[float]] = {TORCH: [], "ebtrack --help": [], "ebtrack info": [], "ebtrack track": []}
    for _ in range(rounds):
        found[TORCH].append(seconds_until([sys.executable, "-c", TORCH]))
        for command in ("--help", "info"):
            found[f"ebtrack {command}"].append(seconds_until([*ebtrack, command]))
        with tempfile.TemporaryDirectory() as out:
            call = [*ebtrack, "track", str(CLIP_PATH), "--box", box, "--max-frames", "3", "--out", out]
            found["ebtrack track"].append(seconds_until(call, Path(out) / "boxes.csv"))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of every command")
    parser.add_argument("--json", type=Path, help="write the times here")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    measure(1)  # from the disk into memory
    seconds = measure(options.rounds)
    summary = summarise(seconds)
    table = Table("until", "seconds, median", "ratio, median of rounds", "ratio of the best")
    labels = {"ebtrack track": "first box of ebtrack track"}
    for name, row in summary.items():
        table.add_row(
            labels.get(name, f"end of {name}"),
            f"{row['seconds']:.3f}",
            f"{row['ratio']:.2f}",
            f"{row['ratio_of_best']:.2f}",
        )
    Console(width=110).print(table, f"{options.rounds} rounds, {options.threads} threads", highlight=False)
    if options.json:
        record = {"threads": options.threads, "seconds": seconds, "summary": summary}
        options.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
