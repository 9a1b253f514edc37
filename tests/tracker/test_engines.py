"""The engines: the same boxes from the same states, and which of them is taken."""

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import ebtrack
from networks.config import BackboneConfig, ModelConfig
from networks.model import EnergyTracker
from networks.weights import save_weights
from tracker import engines, stored_graphs
from tracker.config import TrackerConfig
from tracker.engines import OnnxEngine, TorchEngine, choose_engine
from tracker.filter import Settings, Tracked
from tracker.noise import box_noise
from tracker.regions import crop
from tracker.search import search_frame
from tracker.state import State

ASSETS = Path(ebtrack.__file__).parent / "assets"
BOX = tuple(float(value) for value in (ASSETS / "groundtruth.txt").read_text().split()[0].split(","))
SMALL = ModelConfig(
    backbone=BackboneConfig(stem_width=8, widths=(8, 8, 16), depths=(1, 1, 1)),
    channels=8,
    energy_channels=8,
    proposal_width=8,
    energy_width=16,
    template_size=64,
    search_size=128,
)


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    opened = cv2.VideoCapture(str(ASSETS / "demo.mp4"))
    return [opened.read()[1] for _ in range(60)]


def loaded(engine: str, **config: Any) -> ebtrack.Tracker:
    return ebtrack.load(device="cpu", config=TrackerConfig(**config), engine=engine)  # type: ignore[arg-type]


def assert_alike(one: Tracked, other: Tracked) -> None:
    """Boxes to 0.1 px, as rounding may turn the last decision of the refinement; the rest to rounding."""
    torch.testing.assert_close(one.box, other.box, atol=0.1, rtol=0)
    torch.testing.assert_close(one.posterior.samples, other.posterior.samples, atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(one.posterior.presence, other.posterior.presence, atol=1e-4, rtol=0)
    # Boxes that have collapsed carry hardly any weight, and their scores round coarsely.
    torch.testing.assert_close(one.posterior.weights, other.posterior.weights, atol=1e-3, rtol=0)
    for name in ("box", "steady_size", "factor"):
        torch.testing.assert_close(getattr(one.after, name), getattr(other.after, name), atol=0.1, rtol=0)
    assert torch.equal(one.after.lost, other.after.lost)
    assert torch.equal(one.after.frame, other.after.frame)


def looks(tracker: ebtrack.Tracker, state: State, frame: np.ndarray) -> Tracked:
    """What an engine says of a frame."""
    settings = Settings.of(tracker.model.config, tracker.config)
    crops = crop([frame] * len(state.box), state.region, tracker.model.config.search_size)
    noise = box_noise(state.seed, state.frame, tracker.config.samples)
    with torch.no_grad():
        return tracker.engine.estimate(state, crops, noise, settings, tracker.config)


def states(tracker: ebtrack.Tracker, clip: list[np.ndarray]) -> Iterator[tuple[State, np.ndarray]]:
    """The state before each frame, and the frame."""
    state = tracker.start(clip[:1], [BOX])  # type: ignore[list-item]
    for frame in clip[1:]:
        yield state, frame
        state, _, _ = tracker.advance(state, [frame])


def test_the_engines_agree_frame_by_frame_on_the_clip(clip: list[np.ndarray]) -> None:
    torch_one, onnx_one = loaded("torch"), loaded("onnx")
    assert isinstance(onnx_one.engine, OnnxEngine)
    for state, frame in states(onnx_one, clip[:40]):
        assert_alike(looks(torch_one, state, frame), looks(onnx_one, state, frame))


@pytest.mark.parametrize(
    "config",
    [
        {"motion": False, "evidence": 1.0, "leave_rate": 0.02, "size_rate": 1.0},
        {"search": False, "present_above": 1.0},
        {"present_above": 1.0, "region_growth": 1.2, "region_growth_limit": 3.0, "motion_scale": 0.05},
    ],
)
def test_the_trackers_numbers_are_inputs_of_the_one_graph(clip: list[np.ndarray], config: dict[str, Any]) -> None:
    torch_one, onnx_one = loaded("torch", **config), loaded("onnx", **config)
    plain = loaded("torch")
    differs = False
    for state, frame in states(torch_one, clip[:6]):
        expected = looks(torch_one, state, frame)
        assert_alike(expected, looks(onnx_one, state, frame))
        differs |= not torch.equal(expected.after.box, looks(plain, state, frame).after.box)
        differs |= not torch.equal(expected.after.factor, looks(plain, state, frame).after.factor)
    assert differs or config.get("search") is False


def test_many_targets_go_through_the_graph_in_parts(clip: list[np.ndarray]) -> None:
    torch_one, onnx_one = loaded("torch"), loaded("onnx")
    x, y, w, h = BOX
    boxes = [(x + 3 * i, y - 2 * i, w, h) for i in range(engines.TOGETHER + 3)]
    state = torch_one.start(clip[:1] * len(boxes), boxes)
    assert_alike(looks(torch_one, state, clip[1]), looks(onnx_one, state, clip[1]))


def test_the_engines_search_a_frame_alike(clip: list[np.ndarray]) -> None:
    torch_one, onnx_one = loaded("torch"), loaded("onnx")
    state = torch_one.start(clip[:1], [BOX])._replace(lost=torch.tensor([9]), presence=torch.tensor([0.1]))  # type: ignore[list-item]
    state = state._replace(box=state.box + torch.tensor([[90.0, -60.0, 0.0, 0.0]]))
    after, found, seen = search_frame(torch_one.engine, state, clip[1:2], torch_one.config)
    again, also_found, also_seen = search_frame(onnx_one.engine, state, clip[1:2], onnx_one.config)
    assert bool(seen)
    assert bool(also_seen)
    torch.testing.assert_close(after.box, again.box, atol=0.1, rtol=0)
    torch.testing.assert_close(found.presence, also_found.presence, atol=1e-3, rtol=0)


def test_templates_are_renewed_with_either_engine(clip: list[np.ndarray]) -> None:
    config = {"template_share": 0.35, "template_above": 0.5, "template_known": 0.3, "template_every": 2}
    ends = []
    for engine in ("torch", "onnx"):
        tracker = loaded(engine, **config)
        state = tracker.start(clip[:1], [BOX])  # type: ignore[list-item]
        for frame in clip[1:4]:
            state, _, _ = tracker.advance(state, [frame])
        assert not torch.equal(state.template.bias, state.first.bias)
        ends.append(state)
    torch.testing.assert_close(ends[0].template.bias, ends[1].template.bias, atol=0.02, rtol=0.02)


def test_the_onnx_engine_gives_the_same_bytes_again_and_after_pickling(clip: list[np.ndarray]) -> None:
    tracker = loaded("onnx")
    state = tracker.start(clip[:1], [BOX])  # type: ignore[list-item]
    first, second = looks(tracker, state, clip[1]), looks(tracker, state, clip[1])
    tracker.engine = pickle.loads(pickle.dumps(tracker.engine))
    for other in (second, looks(tracker, state, clip[1])):
        assert torch.equal(first.box, other.box)
        assert torch.equal(first.posterior.log_weights, other.posterior.log_weights)


def test_an_engine_refuses_a_configuration_that_needs_another_graph(clip: list[np.ndarray]) -> None:
    tracker = loaded("onnx")
    state = tracker.start(clip[:1], [BOX])  # type: ignore[list-item]
    tracker.config = TrackerConfig(refine_boxes=tracker.config.refine_boxes + 1)
    with pytest.raises(ValueError, match="another configuration"):
        looks(tracker, state, clip[1])


def small_weights(folder: Path, **changes: Any) -> Path:
    torch.manual_seed(0)
    path = folder / "small.safetensors"
    save_weights(path, EnergyTracker(SMALL.model_copy(update=changes)), {"terms": "none"}, "0.0")
    return path


needs_onnx = pytest.mark.skipif(find_spec("onnx") is None, reason="tracing a graph needs onnx")


@needs_onnx
@pytest.mark.parametrize("score", ["energy", "proposal"])
def test_another_network_is_traced_once_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip: list[np.ndarray], score: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    weights = small_weights(tmp_path, score=score)
    config = TrackerConfig(samples=16, refine_boxes=2)
    tracker = ebtrack.load(weights, device="cpu", config=config)
    assert isinstance(tracker.engine, OnnxEngine)
    (kept,) = (tmp_path / "cache").rglob("*.onnx")
    assert kept.stat().st_size < 300_000
    monkeypatch.setattr(stored_graphs, "trace", lambda *_: pytest.fail("traced again"))
    tracker = ebtrack.load(weights, device="cpu", config=config)
    reference = ebtrack.load(weights, device="cpu", config=config, engine="torch")
    for state, frame in states(reference, clip[:4]):
        assert_alike(looks(reference, state, frame), looks(tracker, state, frame))


@needs_onnx
def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert isinstance(ebtrack.load(small_weights(tmp_path), device="cpu").engine, OnnxEngine)


@needs_onnx
def test_the_stored_graph_is_what_the_code_traces() -> None:
    import onnx

    config, networks = TrackerConfig(), ebtrack.load(device="cpu", engine="torch").model.config
    path = stored_graphs.PACKAGED / f"{stored_graphs.structure(networks, config)}.onnx"
    assert path.is_file(), "no graph of the default network is stored: make graph"
    stored = onnx.load_model(path, load_external_data=False)
    if stored.producer_version != torch.__version__.split("+")[0]:
        pytest.skip(f"the stored graph was traced with torch {stored.producer_version}")
    assert path.read_bytes() == stored_graphs.trace(networks, config), "the networks' code has changed: make graph"


def without(*packages: str) -> Callable[[str], Any]:
    return lambda name: None if name in packages else find_spec(name)


def test_without_onnxruntime_torch_takes_over_and_says_so_where_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(engines, "find_spec", without("onnxruntime"))
    assert ebtrack.load(device="cpu").engine.name == "torch"
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"torch engine takes the place.*pip install onnxruntime"):
        assert ebtrack.load(device="cpu", engine="onnx").engine.name == "torch"


def test_without_a_graph_and_without_onnx_torch_takes_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(stored_graphs, "find_spec", without("onnx"))
    with pytest.warns(UserWarning, match=r"ebtrack\[export\]"):
        assert isinstance(ebtrack.load(small_weights(tmp_path), device="cpu", engine="onnx").engine, TorchEngine)


def test_other_devices_get_the_torch_engine() -> None:
    model = EnergyTracker(SMALL).fuse()
    assert choose_engine("auto", model, TrackerConfig(), torch.device("cuda")).name == "torch"
    with pytest.warns(UserWarning, match="on the CPU, not on cuda"):
        assert choose_engine("onnx", model, TrackerConfig(), torch.device("cuda")).name == "torch"


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="no engine 'tensorrt': choose one of auto, torch, onnx"):
        ebtrack.load(device="cpu", engine="tensorrt")  # type: ignore[arg-type]


def test_onnxruntime_is_imported_with_the_first_frame_and_not_before() -> None:
    script = (
        "import sys, ebtrack, numpy as np\n"
        "tracker = ebtrack.load(device='cpu')\n"
        "frame = np.zeros((90, 120, 3), np.uint8)\n"
        "tracker.init(frame, (40, 30, 20, 20))\n"
        "assert tracker.engine.name == 'onnx' and 'onnxruntime' not in sys.modules and 'onnx' not in sys.modules\n"
        "tracker.update(frame)\n"
        "assert 'onnxruntime' in sys.modules and 'onnx' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
