"""Finished pairs from plans, batch by batch, on the device that holds the atlas."""

from typing import Literal

import torch
from torch import Tensor

from ltr_train.data import torch_layers, torch_photometry
from ltr_train.data.atlas import Atlas, AtlasIndex
from ltr_train.data.corpus import Corpus
from ltr_train.data.packing import Packed

_GIGABYTE = 2**30

# Squares and crops rendered at once: on a CPU as many as its caches hold, on a GPU what takes about 2 GB.
_CPU_AT_ONCE = 256, 8
_AT_ONCE = 16_384, 256


class Renderer:
    """Renders packed plans.

    Args:
        atlas: The pictures, on the device that renders.
        at_once: Most squares and most crops at once; bounds the memory, and changes no pixel. By the device if left
            out.
    """

    def __init__(self, atlas: Atlas, at_once: tuple[int, int] | None = None) -> None:
        self.atlas = atlas
        on_cpu = atlas.device.type == "cpu"
        self._squares, self._crops = at_once or (_CPU_AT_ONCE if on_cpu else _AT_ONCE)

    @torch.no_grad()
    def __call__(self, packed: Packed) -> dict[str, Tensor]:
        """A batch of N pairs.

        Args:
            packed: What ``pack`` gives, on the CPU.

        Returns:
            On the device, as ``PairDataset`` describes its items, with N ahead of the other dimensions.
        """
        device = self.atlas.device
        groups = [(length, kind) for length, kind in packed["groups"].tolist()]
        template_size, search_size = packed["sizes"].tolist()
        there = {name: value.to(device, non_blocking=True) for name, value in packed.items()}
        crops = torch_layers.painted(self.atlas, there, groups, (template_size, search_size), self._squares)
        count = len(packed["present"])
        template, search = (self._changed(packed, there, crop, view * count) for view, crop in enumerate(crops))
        return {
            "template": template,
            "template_box": there["boxes"][:, 0],
            "search": search,
            "search_box": there["boxes"][:, 1],
            "present": there["present"],
            "kind": there["kind"],
        }

    def _changed(self, packed: Packed, there: Packed, crops: Tensor, first: int) -> Tensor:
        """Crops of views ``first`` and on, after their photometric changes."""
        parts = []
        for start in range(0, len(crops), self._crops):
            part = crops[start : start + self._crops]
            rows = slice(first + start, first + start + len(part))
            parts.append(
                torch_photometry.changed(
                    self.atlas,
                    part,
                    packed["view_numbers"][rows],
                    there["view_factors"][rows],
                    there["tables"][rows],
                    there["kernels"],
                )
            )
        return torch.cat(parts)


def renderer_for(
    corpus: Corpus, device: torch.device, make: Literal["auto", "device", "workers"], atlas_gb: float
) -> Renderer | None:
    """What renders pairs on a device, or None where workers are to make them.

    Args:
        corpus: The pictures, all of which are decoded into the atlas.
        device: Where the networks run.
        make: Where pairs are made; ``auto`` takes a CUDA device if the atlas fits.
        atlas_gb: Most memory that the atlas may take, GiB; on CUDA never more than half of what is free.

    Raises:
        ValueError: ``make`` is ``device``, but the atlas does not fit; or a picture cannot be decoded.
    """
    if make == "workers" or (make == "auto" and device.type != "cuda"):
        return None
    index = AtlasIndex(corpus)
    free = 0.5 * torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else float("inf")
    room = min(atlas_gb * _GIGABYTE, free)
    if index.bytes <= room:
        return Renderer(Atlas(index, device))
    if make == "auto":
        return None
    raise ValueError(
        f"data.make is device, but the decoded pictures take {index.bytes / _GIGABYTE:.1f} GiB and there is room for "
        f"{room / _GIGABYTE:.1f} (data.atlas_gb {atlas_gb:g}, and on a GPU half of what is free): raise data.atlas_gb, "
        "lower data.longest, read fewer pictures, or set data.make to workers"
    )
