"""The demonstration: tracks the bundled clip and measures the result against its exact ground truth."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ebtrack.api import load
from ebtrack.clip import CLIP_PATH, read_truth
from ebtrack.posterior_picture import Moment, draw_posteriors
from evaluation.metrics import average_overlap
from tracker.session import Step, track_to_folder
from tracker.sinks import OutputError

# Frames of the posterior's picture: in the open, behind the pole, by the look-alike, half hid, hidden, back.
MOMENTS = (12, 38, 72, 103, 116, 134)


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration made.

    Attributes:
        out: The folder of all outputs.
        annotated: The video with boxes, presence and spread.
        boxes: The table of boxes.
        summary: The filmstrip with presence over time.
        posterior: The picture of the posterior at some moments of the clip.
        mean_iou: Mean IoU over the annotated frames after the first.
        presence_seen: Mean presence over the frames where the target can be seen, the first left out.
        presence_hidden: Mean presence over the frames where it cannot.
    """

    out: Path
    annotated: Path
    boxes: Path
    summary: Path
    posterior: Path
    mean_iou: float
    presence_seen: float
    presence_hidden: float


def run_demo(out: Path, device: str | None = None, seed: int = 0, overwrite: bool = False) -> DemoResult:
    """Track the bundled clip from its first box.

    Args:
        out: Folder for the outputs, as `ebtrack track` writes them, and `posterior.png`.
        device: Where to compute; the best at hand when None.
        seed: Of the sampler.
        overwrite: Replace the results of an earlier run in the folder.

    Raises:
        OutputError: The folder holds results and `overwrite` is false, or cannot be written.
        KeyboardInterrupt: The user pressed Ctrl-C; what was tracked until then is in the folder.
    """
    truth = read_truth()
    x, y, w, h = map(float, truth[0])
    picture = out / "posterior.png"
    if picture.exists() and not overwrite:
        raise OutputError(f"{picture} is there already; replace it with --overwrite, or name another --out")
    moments: list[Moment] = []

    def keep(step: Step) -> None:
        index = step.frame.index
        if index in MOMENTS:
            exact = None if np.isnan(truth[index, 0]) else truth[index]
            moments.append(Moment(index, step.frame.image, step.tracks[0], exact))

    tracker = load(device=device, seed=seed)
    run = track_to_folder(str(CLIP_PATH), [(x, y, w, h)], out, tracker, overwrite=overwrite, on_frame=keep)
    if run.interrupted:
        raise KeyboardInterrupt
    draw_posteriors(moments, picture)
    presence = np.array(run.presence[0])[1:]
    seen = ~np.isnan(truth[1:, 0])
    return DemoResult(
        out=run.out,
        annotated=run.files["annotated"],
        boxes=run.files["boxes"],
        summary=run.files["summary"],
        posterior=picture,
        mean_iou=average_overlap(np.array(run.boxes[0]), truth),
        presence_seen=float(presence[seen].mean()),
        presence_hidden=float(presence[~seen].mean()),
    )


def demo(out: Path, device: str | None = None, seed: int = 0, overwrite: bool = False) -> None:
    """Run the demonstration and print where its results lie and how good they are; as `run_demo`."""
    result = run_demo(out, device, seed, overwrite)
    print(f"Annotated video    {result.annotated}")
    print(f"Boxes              {result.boxes}")
    print(f"Summary            {result.summary}")
    print(f"Posterior          {result.posterior}")
    print(f"Mean IoU           {result.mean_iou:.3f} (annotated frames after the first, exact ground truth)")
    print(f"Mean P(present)    {result.presence_seen:.2f} while the target can be seen, ", end="")
    print(f"{result.presence_hidden:.2f} while it is hidden")
