"""What the tests share."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest
import torch

from networks.config import ModelConfig
from networks.model import EnergyTracker
from networks.weights import save_weights

hypothesis.settings.register_profile("ebtrack", deadline=None, max_examples=50)
hypothesis.settings.load_profile("ebtrack")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache folder for this run, shared by its workers: graphs of the tests' networks are traced once."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of the default network as it is before training."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_weights(path, EnergyTracker(ModelConfig()), {"steps": 0, "terms": "none"}, "0.0")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Pictures of a bright disc each, in COCO format."""
    folder = tmp_path / "data" / "discs"
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for i in range(1, 17):
        picture = cv2.resize(rng.integers(0, 255, (12, 16, 3), np.uint8), (160, 120))
        cv2.circle(picture, (80, 60), 14, (250, 250, 250), -1)
        cv2.imwrite(str(folder / "images" / f"{i}.png"), picture)
        images.append({"id": i, "file_name": f"{i}.png", "width": 160, "height": 120})
        annotations.append({"id": i, "image_id": i, "bbox": [66, 46, 28, 28], "category_id": 1, "iscrowd": 0})
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "disc"}]}
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder.parent
