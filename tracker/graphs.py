"""The networks as functions of plain tensors, and their traces as ONNX graphs: targets are in front of every tensor."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from networks.model import EnergyTracker, SearchFeatures, Template
from tracker.config import TrackerConfig
from tracker.estimate import Given, estimate
from tracker.filter import Settings, look
from tracker.noise import Noise
from tracker.state import State

if TYPE_CHECKING:
    import onnx

FRAME_INPUTS = ("crops", *Template._fields, *Given._fields)
FOR_RENEWAL = ("log_sampler", *SearchFeatures._fields)
"""Outputs that only the renewal of templates reads."""
FRAME_OUTPUTS = ("box", "samples", "log_weights", "log_z", "presence", *FOR_RENEWAL)
STATE = ("box", "steady_size", "frame_size", "factor", "presence", "lost")
"""What of a `State` the next frame reads, but for the template."""
LOOK_INPUTS = (*Template._fields, "crops", *(f"last_{name}" for name in STATE), *Noise._fields, "settings")
LOOK_OUTPUTS = (*(f"next_{name}" for name in ("box", "steady_size", "factor", "lost")), *FRAME_OUTPUTS)
TEMPLATE_INPUTS = ("crops", "boxes")
TEMPLATE_OUTPUTS = Template._fields
OPSET = 18
WEIGHTS = "model."
"""What the exporter puts before the names of a model's tensors: where the modules hold the model."""


class FrameGraph(nn.Module):
    """`estimate` as a function of `FRAME_INPUTS` that gives `FRAME_OUTPUTS`.

    Args:
        model: the networks, fused.
        config: which point estimate, and how many boxes are refined how often.
    """

    def __init__(self, model: EnergyTracker, config: TrackerConfig) -> None:
        super().__init__()
        self.model, self.config = model, config

    def forward(self, crops: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """The crops ``[N, 3, S, S]`` uint8 BGR, then the fields of `Template`, then those of `Given`."""
        template, known = Template(*rest[: len(Template._fields)]), Given(*rest[len(Template._fields) :])
        found = estimate(self.model, template, crops, known, self.config)
        of = found.posterior
        return found.box, of.samples, of.log_weights, of.log_z, of.presence, found.log_sampler, *found.search

    def example(self) -> tuple[Tensor, ...]:
        """Inputs for one target, to trace with."""
        box, half, count = torch.zeros(1, 4), torch.full((1,), 0.5), self.config.samples
        noise = torch.full((1, count, 3), 0.5), torch.zeros(1, count, 4)
        return *_example_view(self.model), *noise, half, half, box, torch.ones(1, 2)


class LookGraph(nn.Module):
    """`tracker.filter.look` as a function of `LOOK_INPUTS` that gives `LOOK_OUTPUTS`.

    Args:
        model: the networks, fused.
        config: which point estimate, and how many boxes are refined how often.
    """

    def __init__(self, model: EnergyTracker, config: TrackerConfig) -> None:
        super().__init__()
        self.model, self.config = model, config

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The inputs in their order; the settings ``[11]`` in that of `Settings`."""
        parts = len(Template._fields)
        template, crops, before = Template(*inputs[:parts]), inputs[parts], inputs[parts + 1 : -3]
        # A graph keeps neither the first view nor the counters of frames.
        none = torch.zeros_like(before[-1])
        state = State(template, template, *before, none, none)  # type: ignore[call-arg]
        settings = Settings(*inputs[-1].split(1))
        # The outputs for the renewal of templates are there for whoever asks for them.
        config = self.config.model_copy(update={"template_share": 0.5})
        found = look(self.model, state, crops, Noise(*inputs[-3:-1]), settings, config)
        assert found.log_sampler is not None
        assert found.search is not None
        after, of = found.after, found.posterior
        return (
            *(after.box, after.steady_size, after.factor, after.lost),
            *(found.box, of.samples, of.log_weights, of.log_z, of.presence, found.log_sampler),
            *found.search,
        )

    def example(self) -> tuple[Tensor, ...]:
        """Inputs for one target, to trace with."""
        one, count = torch.ones(1), self.config.samples
        noise = torch.full((1, count, 3), 0.5), torch.zeros(1, count, 4)
        before = torch.ones(1, 4), torch.ones(1, 2), torch.ones(1, 2), one, one, one.long()
        crops, *template = _example_view(self.model)
        return *template, crops, *before, *noise, torch.ones(len(Settings._fields))


def _example_view(model: EnergyTracker) -> tuple[Tensor, ...]:
    """Crops and template of one target."""
    template, search = (
        torch.zeros(1, 3, side, side, dtype=torch.uint8)
        for side in (model.config.template_size, model.config.search_size)
    )
    return search, *model.encode_template(template, torch.zeros(1, 4))


class TemplateGraph(nn.Module):
    """`EnergyTracker.encode_template` as a function of `TEMPLATE_INPUTS` that gives `TEMPLATE_OUTPUTS`.

    Args:
        model: the networks, fused.
    """

    def __init__(self, model: EnergyTracker) -> None:
        super().__init__()
        self.model = model

    def forward(self, crops: Tensor, boxes: Tensor) -> tuple[Tensor, ...]:
        """Crops ``[N, 3, T, T]`` uint8 BGR of the targets, and the targets ``[N, 4]`` as crop boxes."""
        return tuple(self.model.encode_template(crops, boxes))


def to_onnx(
    graph: nn.Module, inputs: Sequence[Tensor], names: Sequence[str], outputs: Sequence[str]
) -> onnx.ModelProto:
    """The ONNX graph of a module that is a function of tensors; any number of targets can go through it.

    Args:
        graph: the module.
        inputs: an example; those as long as the first have the targets in front.
        names: of the inputs. Those that the module does not read are no inputs of the graph.
        outputs: names of the outputs.

    Raises:
        ImportError: onnx is not installed.
    """
    import onnx

    targets = len(inputs[0])
    batched = [name for name, value in zip(names, inputs, strict=True) if len(value) == targets]
    graph.eval()
    # Constants that are made once and kept are to be constants of the graph, not its first steps.
    graph(*inputs)
    written = io.BytesIO()
    with warnings.catch_warnings():
        # That tensors' shapes are taken for constants: those of a model are.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            tuple(inputs),
            written,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            do_constant_folding=False,
            input_names=list(names),
            output_names=list(outputs),
            dynamic_axes={name: {0: "targets"} for name in (*batched, *outputs)},
        )
    return _pixels_in_one_pass(onnx.load_from_string(written.getvalue()))


def _pixels_in_one_pass(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with the pixels' normalisation, ``(float(crops) - 114) / 58``, as the one operator that does it."""
    from onnx import helper, numpy_helper

    nodes = graph.graph.node
    made_by = {name: node for node in nodes for name in node.output}
    read_by = {name: node for node in nodes for name in node.input}
    cast = read_by["crops"]
    less = read_by[cast.output[0]]
    over = read_by[less.output[0]]
    old = [cast, less, over, made_by[less.input[1]], made_by[over.input[1]]]
    zero, scale = (numpy_helper.to_array(node.attribute[0].t) for node in old[3:])
    for name, value in (("pixel_scale", (1 / scale).astype(np.float32)), ("pixel_zero", zero.astype(np.uint8))):
        graph.graph.initializer.append(numpy_helper.from_array(value, name))
    one = helper.make_node("DequantizeLinear", ["crops", "pixel_scale", "pixel_zero"], [over.output[0]], name="pixels")
    nodes.insert(list(nodes).index(over), one)
    for node in old:
        nodes.remove(node)
    return graph


def without_weights(graph: onnx.ModelProto) -> bytes:
    """The serialised graph of a `LookGraph` with the tensors of the model declared and none of them inside.

    Whoever loads it hands them over under the names that they have here: `WEIGHTS`, then that in the fused model's
    ``state_dict``.
    """
    import onnx

    for tensor in graph.graph.initializer:
        if not tensor.name.startswith(WEIGHTS):
            continue
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="weights")
    return graph.SerializeToString(deterministic=True)
