"""Writes the graph of the default weights' architecture into the package; run it when the networks' code has changed.

python -m tracker.make_graph [WEIGHTS]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from networks.weights import load_weights
from tracker.config import TrackerConfig
from tracker.stored_graphs import PACKAGED, structure, trace

DEFAULT = Path(__file__).parent.parent / "ebtrack" / "weights" / "default.safetensors"


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, nargs="?", default=DEFAULT)
    _, info = load_weights(parser.parse_args().weights)
    config = TrackerConfig()
    PACKAGED.mkdir(exist_ok=True)
    path = PACKAGED / f"{structure(info.config, config)}.onnx"
    path.write_bytes(trace(info.config, config))
    print(path)


if __name__ == "__main__":
    main()
