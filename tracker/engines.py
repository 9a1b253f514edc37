"""Which engine runs the networks: torch itself, or onnxruntime on a traced graph."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.model import EnergyTracker, SearchFeatures, Template
from networks.posterior import Posterior
from tracker.config import TrackerConfig
from tracker.filter import Settings, Tracked, look
from tracker.graphs import FOR_RENEWAL, LOOK_INPUTS, LOOK_OUTPUTS, STATE, WEIGHTS
from tracker.noise import Noise
from tracker.state import State
from tracker.stored_graphs import stored_graph, structure

if TYPE_CHECKING:
    import onnxruntime

TOGETHER = 8
"""Targets that go through the graph at once: more gain nothing on a CPU, and their features outgrow its caches."""
EngineName = Literal["auto", "torch", "onnx"]


class Engine(Protocol):
    """What runs the networks on a frame."""

    name: str
    model: EnergyTracker
    """The networks, in inference mode."""

    def estimate(self, state: State, crops: Tensor, noise: Noise, settings: Settings, config: TrackerConfig) -> Tracked:
        """The function `tracker.filter.look`."""


class TorchEngine:
    """Runs the networks as they stand, on any device: the reference.

    Args:
        model: the networks, in inference mode.
    """

    name = "torch"

    def __init__(self, model: EnergyTracker) -> None:
        self.model = model

    def estimate(self, state: State, crops: Tensor, noise: Noise, settings: Settings, config: TrackerConfig) -> Tracked:
        """The function `tracker.filter.look`."""
        return look(self.model, state, crops, noise, settings, config)


def choose_engine(name: EngineName, model: EnergyTracker, config: TrackerConfig, device: torch.device) -> Engine:
    """The engine of a name, or the torch engine with a warning where it is not to be had.

    Args:
        name: ``torch``, which runs anywhere; ``onnx``, the fast one on a CPU; ``auto`` for the best at hand.
        model: the networks, fused, on their device.
        config: how to track.
        device: where the networks run.

    Raises:
        ValueError: there is no engine of that name.
    """
    if name not in get_args(EngineName):
        raise ValueError(f"no engine {name!r}: choose one of {', '.join(get_args(EngineName))}")
    if name == "torch":
        return TorchEngine(model)
    found = None
    if device.type != "cpu":
        missing = f"it runs on the CPU, not on {device}"
    elif find_spec("onnxruntime") is None:
        missing = "onnxruntime is not installed: pip install onnxruntime"
    elif (found := stored_graph(model.config, config)) is None:
        missing = "no graph of these networks is at hand, and tracing one needs onnx: pip install 'ebtrack[export]'"
    if found is not None:
        return OnnxEngine(model, config, found)
    if name == "onnx":
        warnings.warn(f"the torch engine takes the place of the onnx engine: {missing}", stacklevel=4)
    return TorchEngine(model)


class OnnxEngine:
    """Runs the traced graph with onnxruntime on the CPU, in float32.

    Sessions are made when they are first needed, with as many threads as torch has then; a copy in another process
    makes its own.

    Args:
        model: the networks, fused, on the CPU.
        config: how to track; only its settings that a graph depends on matter, and later calls must have the same.
        graph: what `stored_graph` gives for them.
    """

    name = "onnx"

    def __init__(self, model: EnergyTracker, config: TrackerConfig, graph: bytes) -> None:
        self.model, self._config, self._graph = model, config, graph
        self._fed: tuple[Template | None, dict[str, NDArray[Any]]] = None, {}

    def __getstate__(self) -> dict[str, Any]:
        """All but the sessions and what they read."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_single", "_batch", "_weights")}

    @cached_property
    def _single(self) -> onnxruntime.InferenceSession:
        """For one target at a time: with every shape known, all arithmetic on shapes is done beforehand."""
        return self._session(1)

    @cached_property
    def _batch(self) -> onnxruntime.InferenceSession:
        return self._session(None)

    @cached_property
    def _weights(self) -> dict[str, onnxruntime.OrtValue]:
        """The model's tensors that the graph names, all but what encodes templates; sessions read them here."""
        from onnxruntime import OrtValue

        tensors = {WEIGHTS + name: value for name, value in self.model.state_dict().items()}
        return {
            name: OrtValue.ortvalue_from_numpy(value.contiguous().numpy())
            for name, value in tensors.items()
            if name.encode() in self._graph
        }

    def _session(self, targets: int | None) -> onnxruntime.InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Between frames the threads leave the processor to others.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        if targets is not None:
            options.add_free_dimension_override_by_name("targets", targets)
        options.add_external_initializers(list(self._weights), list(self._weights.values()))
        return onnxruntime.InferenceSession(self._graph, options, providers=["CPUExecutionProvider"])

    def estimate(self, state: State, crops: Tensor, noise: Noise, settings: Settings, config: TrackerConfig) -> Tracked:
        """The function `tracker.filter.look`.

        Raises:
            ValueError: the configuration asks for another graph.
        """
        networks = self.model.config
        if config is not self._config and structure(networks, config) != structure(networks, self._config):
            raise ValueError("this engine was made for another configuration of the tracker: load one for it")
        template, fed = self._fed
        if template is not state.template:
            fed = _arrays(Template._fields, state.template)
            self._fed = state.template, fed
        before = (getattr(state, name) for name in STATE)
        arrays = fed | _arrays(LOOK_INPUTS[len(Template._fields) :], (crops, *before, *noise))
        arrays["settings"] = np.array(settings, np.float32)
        names = LOOK_OUTPUTS if config.template_share else LOOK_OUTPUTS[: -len(FOR_RENEWAL)]
        found = dict(zip(names, map(torch.from_numpy, self._run(names, arrays, len(crops))), strict=True))
        presence = found["presence"]
        after = state._replace(
            box=found["next_box"],
            steady_size=found["next_steady_size"],
            factor=found["next_factor"],
            presence=presence,
            lost=found["next_lost"],
            frame=state.frame + 1,
        )
        posterior = Posterior(found["samples"], found["log_weights"], found["log_z"], presence)
        search = SearchFeatures(found["stride8"], found["stride16"]) if config.template_share else None
        return Tracked(after, posterior, found["box"], found.get("log_sampler"), search)

    def _run(self, names: Sequence[str], arrays: dict[str, NDArray[Any]], targets: int) -> list[NDArray[Any]]:
        if targets == 1:
            return self._single.run(names, arrays)
        settings = {"settings": arrays.pop("settings")}
        parts = [
            self._batch.run(names, {name: value[i : i + TOGETHER] for name, value in arrays.items()} | settings)
            for i in range(0, targets, TOGETHER)
        ]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)] if len(parts) > 1 else parts[0]


def _arrays(names: Iterable[str], tensors: Iterable[Tensor]) -> dict[str, NDArray[Any]]:
    """Inputs by name; a graph has none for the parts of a template that are empty."""
    named = zip(names, tensors, strict=False)
    return {name: tensor.contiguous().numpy() for name, tensor in named if tensor.numel()}
