"""The networks: shapes, the defensive sampler, and configurations from YAML alone."""

import sys
import types

import pytest
import torch

from ltr_train.config import read_config
from networks.backbone import Backbone, start_from_timm
from networks.config import BackboneConfig, ModelConfig
from networks.distributions import DenseMixture
from networks.model import EnergyTracker


@pytest.fixture(scope="module")
def model() -> EnergyTracker:
    torch.manual_seed(0)
    return EnergyTracker(ModelConfig()).eval()


def crops(n: int, size: int) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_shapes_from_crops_to_scores(model: EnergyTracker) -> None:
    template = model.encode_template(crops(2, 128), torch.tensor([[0.0, 0.0, -0.7, -0.7]]).repeat(2, 1))
    search = model.features(crops(2, 256))
    assert search.stride8.shape == (2, 64, 32, 32)
    assert search.stride16.shape == (2, 64, 16, 16)
    proposal = model.propose(template, search)
    assert proposal.batch_shape == (2,)
    assert proposal.event_shape == (4,)
    assert proposal.loc.shape == (2, 256, 4)
    boxes = model.defend(proposal).from_uniform(torch.rand(10, 2, 5)).transpose(0, 1)
    assert model.score(template, search, boxes, proposal).shape == (2, 10)
    assert template.null.shape == (2,)


def test_components_lie_at_their_cells_before_training() -> None:
    model = EnergyTracker(ModelConfig()).eval()
    template = model.encode_template(crops(1, 128), torch.tensor([[0.0, 0.0, -0.7, -0.7]]))
    torch.nn.init.zeros_(model.proposal.out.weight)
    loc = model.propose(template, model.features(crops(1, 256))).loc.detach()[0].reshape(16, 16, 4)
    centres = (torch.arange(16) + 0.5) / 16 - 0.5
    torch.testing.assert_close(loc[..., 0], centres.expand(16, 16))
    torch.testing.assert_close(loc[..., 1], centres[:, None].expand(16, 16))


def test_the_score_depends_on_box_template_and_search(model: EnergyTracker) -> None:
    boxes = torch.tensor([[[0.0, 0.0, -1.4, -1.4], [0.2, 0.1, -1.0, -1.4]]]).repeat(2, 1, 1)
    template = model.encode_template(crops(2, 128), torch.tensor([[0.0, 0.0, -0.7, -0.7]]).repeat(2, 1))
    search = model.features(crops(2, 256))
    proposal = model.propose(template, search)
    score = model.score(template, search, boxes, proposal)
    assert score[0, 0] != score[0, 1]
    swapped = model.score(template.select(torch.tensor([1, 0])), search, boxes, proposal)
    assert score[0, 0] != swapped[0, 0]
    moved = model.score(template, search.select(torch.tensor([1, 0])), boxes, proposal)
    assert score[0, 0] != moved[0, 0]


def test_without_an_energy_head_the_proposal_scores_itself_and_its_mass_is_z() -> None:
    torch.manual_seed(0)
    model = EnergyTracker(ModelConfig(score="proposal")).eval()
    template = model.encode_template(crops(2, 128), torch.tensor([[0.0, 0.0, -0.7, -0.7]]).repeat(2, 1))
    search = model.features(crops(2, 256))
    proposal = model.propose(template, search)
    drawn = proposal.from_uniform(torch.rand(50, 2, 5))
    score = model.score(template, search, drawn.transpose(0, 1), proposal)
    # Every sample of q weighs the same, and what it weighs is Z.
    ratio = score - proposal.log_prob(drawn).T
    torch.testing.assert_close(ratio, proposal.log_mass.unsqueeze(1).expand(-1, 50), atol=1e-4, rtol=0)
    lifted = DenseMixture(proposal.mixture_distribution.logits + 3.0, proposal.loc, proposal.scale)
    torch.testing.assert_close(lifted.log_mass, torch.full((2,), 3.0))
    torch.testing.assert_close(lifted.log_prob(drawn), proposal.log_prob(drawn))


def test_the_default_network_is_small(model: EnergyTracker) -> None:
    assert sum(p.numel() for p in model.parameters()) < 3e6


def fake_timm(state: dict[str, torch.Tensor]) -> types.ModuleType:
    module = types.ModuleType("timm")
    model = types.SimpleNamespace(state_dict=lambda: state)
    module.create_model = lambda name, pretrained: model  # type: ignore[attr-defined]
    return module


def timm_state(config: BackboneConfig) -> dict[str, torch.Tensor]:
    """Tensors with the names and shapes of a timm ResNet."""
    generator = torch.Generator().manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def add(conv: str, norm: str, outputs: int, inputs: int, kernel: int) -> None:
        state[f"{conv}.weight"] = torch.randn(outputs, inputs, kernel, kernel, generator=generator)
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{norm}.{part}"] = torch.rand(outputs, generator=generator)
        state[f"{norm}.num_batches_tracked"] = torch.tensor(3)

    add("conv1", "bn1", config.stem_width, 3, 7)
    inputs = config.stem_width
    for layer, (outputs, depth) in enumerate(zip(config.widths, config.depths, strict=True), 1):
        for block in range(depth):
            name, middle = f"layer{layer}.{block}", outputs // 4
            add(f"{name}.conv1", f"{name}.bn1", middle, inputs, 1)
            add(f"{name}.conv2", f"{name}.bn2", middle, middle, 3)
            add(f"{name}.conv3", f"{name}.bn3", outputs, middle, 1)
            if block == 0:
                add(f"{name}.downsample.0", f"{name}.downsample.1", outputs, inputs, 1)
            inputs = outputs
    return state


def test_the_pretrained_start_copies_every_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    config = BackboneConfig(
        block="bottleneck", stem_width=8, stem_kernel=7, stem_pool=True, widths=(16, 32, 64), depths=(2, 1, 2)
    )
    state = timm_state(config)
    monkeypatch.setitem(sys.modules, "timm", fake_timm(state))
    backbone = Backbone(config)
    start_from_timm(backbone, "resnet")
    own = backbone.state_dict()
    assert len(own) == len(state)
    assert torch.equal(own["stem.conv.weight"], state["conv1.weight"].flip(1))
    assert torch.equal(own["stage16.1.body.2.norm.running_var"], state["layer3.1.bn3.running_var"])


def test_a_pretrained_start_that_does_not_fit_or_is_not_installed_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "timm", fake_timm({}))
    with pytest.raises(ValueError, match=r"does not fit.*ResNet-50 needs"):
        start_from_timm(Backbone(BackboneConfig()), "resnet")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match="timm extra"):
        start_from_timm(Backbone(BackboneConfig()), "resnet")


def test_the_larger_variant_is_a_configuration() -> None:
    config = read_config("resnet50").model
    with torch.device("meta"):
        model = EnergyTracker(config)
    assert 8e6 < sum(p.numel() for p in model.backbone.parameters()) < 9e6
    small = config.model_copy(
        update={"backbone": config.backbone.model_copy(update={"widths": (16, 32, 64), "depths": (1, 1, 1)})}
    )
    found = EnergyTracker(small).features(crops(1, 256))
    assert found.stride8.shape == (1, 128, 32, 32)
    assert found.stride16.shape == (1, 128, 16, 16)
