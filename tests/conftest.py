"""What the tests share."""

from pathlib import Path

import hypothesis
import pytest
import torch

from networks.config import ModelConfig
from networks.model import EnergyTracker
from networks.weights import save_weights

hypothesis.settings.register_profile("ebtrack", deadline=None, max_examples=50)
hypothesis.settings.load_profile("ebtrack")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of the default network as it is before training."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_weights(path, EnergyTracker(ModelConfig()), {"steps": 0, "terms": "none"}, "0.0")
    return path
