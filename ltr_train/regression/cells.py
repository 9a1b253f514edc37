"""A regression task on pictures, of our own making: how many cells does a fluorescence picture show?

In the spirit of the cell counts of Gustafsson et al. (AISTATS 2022). What makes the answer uncertain: nuclei that lie
on one another, a focus that is sometimes off, shot noise, debris that looks like a faint nucleus, and cultures whose
cells have two nuclei each, so that a picture may show n cells or n / 2.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ltr_train.regression.problems import Problem, nearest

SIDE = 64
PICTURES, TEST_PICTURES = 3000, 1000
EPOCHS = 30
TRAINING_SEED, TEST_SEED = 0, 1
MOST_NUCLEI = 40
SCALE = 10.0
"""Cells that make one unit of y."""


class PictureFeatures(nn.Module):
    """Features of a 64 x 64 picture: four convolutions of stride 2, their mean over the map, and a layer of 32.

    The mean, since a number of cells is a sum over places.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for into, out in itertools.pairwise((1, 8, 16, 32, 32)):
            convolution = nn.Conv2d(into, out, 3, stride=2, padding=1)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            layers += [convolution, nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 32), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """``[N, 1, 64, 64]`` pictures to features ``[N, 32]``."""
        return self.layers(x)


def draw_cells(random: np.random.Generator) -> tuple[NDArray[np.float32], int]:
    """One picture ``[64, 64]`` of photon counts over their mean, less 1, and the number of its cells."""
    binucleate = random.random() < 0.3
    cells = int(random.integers(1, MOST_NUCLEI // (2 if binucleate else 1) + 1))
    centres = random.uniform(0, SIDE, (cells, 2))
    crowded = random.random(cells) < 0.3
    centres[crowded] = centres[random.integers(0, cells, crowded.sum())] + random.normal(0, 4, (crowded.sum(), 2))
    if binucleate:
        apart = random.normal(0, 2, centres.shape)
        centres = np.concatenate((centres + apart, centres - apart))
    centres = centres.clip(0, SIDE - 1)
    size = random.lognormal(np.log(2.0), 0.2, (len(centres), 2))
    brightness = random.lognormal(0, 0.3, len(centres))

    debris = int(random.poisson(3))
    centres = np.concatenate((centres, random.uniform(0, SIDE, (debris, 2))))
    size = np.concatenate((size, random.uniform(1, 2, (debris, 2))))
    brightness = np.concatenate((brightness, random.uniform(0.2, 0.6, debris)))

    blur = random.uniform(2, 4) if random.random() < 0.2 else 0.0
    spread = np.hypot(size, blur)
    brightness = brightness * (size / spread).prod(1)  # light is spread out, not lost
    axis = np.arange(SIDE)
    across, down = np.exp(-0.5 * ((axis - centres[..., None]) / spread[..., None]) ** 2).transpose(1, 0, 2)
    slope = random.normal(0, 0.15, 2)
    plane = slope[0] * (axis / SIDE - 0.5)[:, None] + slope[1] * (axis / SIDE - 0.5)
    light = np.maximum(0.3 + plane, 0.05) + np.einsum("n,ni,nj->ij", brightness, down, across)
    photons = random.poisson(light * random.uniform(8, 30))
    return (photons / photons.mean() - 1).astype(np.float32), cells


def cell_pictures(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pictures ``[count, 1, 64, 64]`` and labels ``[count]``, both functions of the seed.

    A label is the number of cells plus uniform noise in (-0.5, 0.5), in units of ten cells: a density over real numbers
    has no lower bound of its NLL where labels are whole.
    """
    random = np.random.default_rng(seed)
    drawn = [draw_cells(random) for _ in range(count)]
    numbers = np.array([cells for _, cells in drawn]) + random.uniform(-0.5, 0.5, count)
    pictures = torch.from_numpy(np.stack([picture for picture, _ in drawn])).unsqueeze(1)
    return pictures, torch.from_numpy((numbers / SCALE).astype(np.float32))


def cells_problem() -> Problem:
    """Counting cells. Metric: NLL of the test labels, densities on a grid of 2048 points."""
    x, y = cell_pictures(PICTURES, TRAINING_SEED)
    test_x, test_y = cell_pictures(TEST_PICTURES, TEST_SEED)
    grid = np.linspace(-2, 8, 2048)
    index = nearest(grid, test_y.numpy().astype(np.float64))
    line = torch.from_numpy(grid.astype(np.float32))
    return Problem("cells", "nll", x, y, test_x, line, None, index, (0.1, 0.8), lambda _: PictureFeatures(), EPOCHS)
