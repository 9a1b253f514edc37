"""GOT-10k, read with the got10k toolkit's own class.

Layout: ``<root>/<split>/list.txt`` names the clips; ``<root>/<split>/<clip>/`` holds ``00000001.jpg`` ...,
``groundtruth.txt`` (x,y,w,h a line), ``absence.label`` and ``cover.label`` (0 to 8 eighths visible), a number a
line, and ``meta_info.ini``. Splits: train, val (test has no annotation to train on). Coordinates are 1-based, as its
authors state (github.com/got-10k/toolkit, issue 6). What `ebtrack data render` wrote has no splits: its clips lie
in the root itself, beside ``list.txt``.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import numpy as np
from got10k.datasets import GOT10k

from ltr_train.data.readers.clips import Clip, Frame, frames_of_one_target, read_lines
from ltr_train.data.readers.options import SetConfig

SOURCE = "got10k"


def read(root: Path, config: SetConfig) -> list[Clip]:
    """Clips of a split."""
    split = config.chosen_split("train", "val")
    if (root / "list.txt").is_file() and config.split is None:
        data = _Unsplit(root)
    else:
        read_lines(root / split / "list.txt", "GOT-10k's list of clips beside their folders")
        # It reports missing clips on the output; reading them says so in its own way.
        with redirect_stdout(io.StringIO()):
            data = GOT10k(str(root), split, return_meta=True)
    return [
        Clip(SOURCE, name, (), partial(_frames, data, index, config.every)) for index, name in enumerate(data.seq_names)
    ]


class _Unsplit(GOT10k):
    """Clips that lie in the root itself."""

    def __init__(self, root: Path) -> None:
        # The toolkit's own constructor knows no folder but those of its splits.
        self.subset, self.return_meta = "train", True
        self.seq_names = read_lines(root / "list.txt", "a list of clips beside their folders")
        self.seq_dirs = [str(root / name) for name in self.seq_names]
        self.anno_files = [str(root / name / "groundtruth.txt") for name in self.seq_names]


def _frames(data: GOT10k, index: int, every: int) -> list[Frame]:
    folder = data.seq_dirs[index]
    try:
        paths, boxes, meta = data[index]
        shown = (np.atleast_1d(meta["absence"]) == 0) & (np.atleast_1d(meta["cover"]) > 0)
        boxes = boxes - (1.0, 1.0, 0.0, 0.0)
    except AssertionError:
        raise ValueError(f"'{folder}' has not as many pictures as lines in groundtruth.txt") from None
    except OSError as error:
        raise ValueError(f"'{folder}' lacks a file: {error}") from error
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError(f"an annotation in '{folder}' is broken: {error}") from error
    return frames_of_one_target(paths, boxes, shown, str(meta.get("object_class", "object")), every)
