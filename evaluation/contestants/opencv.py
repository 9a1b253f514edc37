"""OpenCV's trackers: KCF, CSRT, MIL, Nano, Vit.

MIL draws from the clock, so that its boxes differ from run to run whatever the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

NAMES = ("KCF", "CSRT", "MIL", "Nano", "Vit")
CONTRIB = ("KCF", "CSRT")
_MODELS = {
    "Nano": {"backbone": "*nanotrack*backbone*.onnx", "neckhead": "*nanotrack*head*.onnx"},
    "Vit": {"net": "*vit*.onnx"},
}


class OpenCVTracker:
    """A tracker of OpenCV; where it does not find the target it says so.

    Args:
        name: one of `NAMES`.
        models: folder of the model files of Nano (backbone and head) or Vit.

    Raises:
        ValueError: there is no such tracker in this OpenCV, or a model file is missing.
    """

    def __init__(self, name: str, models: Path | None = None) -> None:
        files = model_files(name, models)
        home = cv2 if hasattr(cv2, f"Tracker{name}_create") else getattr(cv2, "legacy", cv2)
        create = getattr(home, f"Tracker{name}_create", None)
        if create is None:
            package = "opencv-contrib-python" if name in CONTRIB else "opencv-python"
            raise ValueError(
                f"this OpenCV ({cv2.__version__}) has no tracker {name}: install {package} in place of the OpenCV that "
                "is there"
            )
        if files:
            parameters = getattr(cv2, f"Tracker{name}_Params")()
            for key, file in files.items():
                setattr(parameters, key, str(file))
            self._tracker: Any = create(parameters)
        else:
            self._tracker = create()

    def init(self, frame: NDArray[np.uint8], box: tuple[float, float, float, float]) -> None:
        """Begins; OpenCV takes boxes of whole pixels, of at least one."""
        x, y, w, h = (round(value) for value in box)
        self._tracker.init(frame, (x, y, max(w, 1), max(h, 1)))

    def update(self, frame: NDArray[np.uint8]) -> tuple[bool, tuple[float, float, float, float]]:
        """Whether the target was found, and where."""
        found, box = self._tracker.update(frame)
        x, y, w, h = (float(value) for value in box)
        return bool(found), (x, y, w, h)


def model_files(name: str, models: Path | None) -> Mapping[str, Path]:
    """The model files of a tracker by the name of OpenCV's parameter; none where it needs none.

    Raises:
        ValueError: there is no such tracker, or a file is missing, or there are several in its place.
    """
    if name not in NAMES:
        raise ValueError(f"OpenCV has no tracker '{name}' that ebtrack knows: choose from {', '.join(NAMES)}")
    wanted = _MODELS.get(name, {})
    if wanted and (models is None or not models.is_dir()):
        raise ValueError(
            f"opencv:{name} needs its model files ({', '.join(wanted.values())}): name their folder with --model DIR"
        )
    found = {}
    for key, pattern in wanted.items():
        assert models is not None
        files = sorted(models.glob(pattern))
        if len(files) != 1:
            raise ValueError(
                f"opencv:{name} needs one file {pattern} in {models}, there are {len(files)}"
                + (f": {', '.join(file.name for file in files)}" if files else "")
            )
        found[key] = files[0]
    return found
