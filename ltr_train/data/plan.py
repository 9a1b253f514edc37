"""A pair before it has pixels, and its realisation with OpenCV."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltr_train.data.cv2_layers import painted
from ltr_train.data.cv2_photometry import changed
from ltr_train.data.photometric import Change
from ltr_train.data.scene import View


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All that decides the pixels and boxes of a pair.

    Attributes:
        views: Template and search view.
        changes: Photometric change of either.
        flip: Both crops are mirrored at last.
        template_box: [4] float32 of the finished crop, as ``PairDataset`` gives it; so is
        search_box: [4] float32, zeros where the target is absent.
        present: The search crop shows the target.
        kind: Index into ``KINDS``.
    """

    views: tuple[View, View]
    changes: tuple[Change, Change]
    flip: bool
    template_box: NDArray[np.float32]
    search_box: NDArray[np.float32]
    present: bool
    kind: int

    def realised(self) -> dict[str, np.ndarray]:
        """The finished pair, as ``PairDataset`` describes it."""
        template, search = (
            changed(painted(view), change) for view, change in zip(self.views, self.changes, strict=True)
        )
        if self.flip:
            template, search = (np.ascontiguousarray(crop[:, ::-1]) for crop in (template, search))
        return {
            "template": template,
            "template_box": self.template_box,
            "search": search,
            "search_box": self.search_box,
            "present": np.array(self.present),
            "kind": np.array(self.kind),
        }
