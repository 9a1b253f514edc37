"""The model card: what a reader has to know of trained weights, written beside them from the record inside them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from networks.config import ModelConfig
from networks.weights import WeightsInfo

COLUMNS = {
    "track_ao": "AO",
    "track_sr50": "SR0.5",
    "track_coverage90": "90 % interval holds",
    "track_sharpness90": "its width / box",
    "track_presence_auroc": "presence AUROC",
    "track_presence_ece": "presence ECE",
    "val_iou": "IoU",
    "val_nll": "NLL of q",
    "val_presence": "presence right",
    "val_effective_kl": "effective KL",
    "val_ess": "ESS/M",
}
"""The figures of a log that the card shows, with their headings."""
_TRACKED = """\
The first columns come from tracking whole clips from their first boxes: AO is the mean IoU after the first frame, then
over clips; the 90 % intervals of (cx, cy, w, h) and their width are looked at where the IoU is above 0; presence ECE
weighs frames with and without the target the same."""
_PAIRS = """\
IoU, NLL, presence, KL and ESS are of single pairs of crops: IoU is that of the sample of the highest score; presence is
right at P = 1/2 under the training's own share of crops with the target."""


def write_card(path: Path, info: WeightsInfo, log: Sequence[Mapping[str, float]]) -> None:
    """Writes the model card of a weights file in Markdown; the file appears whole or not at all.

    Args:
        path: of the card; an older one is replaced.
        info: the record of the weights file.
        log: rows of the run's log, each with its ``step``; those with ``track_`` or ``val_`` figures are shown. Where a
            step stands twice, the later row counts.
    """
    sections = (
        ("What it is", _network(info)),
        ("Terms", [f"{info.training.get('terms', 'The record says nothing of them.')}"]),
        ("How to use it", _use(info)),
        ("What it was trained on", _data(info.training)),
        ("How it was trained", _training(info.training)),
        ("Validation", _validation(info.training, log)),
        ("Limits", _limits(info.training, log)),
    )
    text = f"# Model card: {info.path.name}\n"
    for title, lines in sections:
        text += f"\n## {title}\n\n" + "\n".join(lines) + "\n"
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _network(info: WeightsInfo) -> list[str]:
    config = info.config
    backbone = config.backbone
    heads = {
        "energy": f"a dense mixture proposal; an energy head that pools {config.bins} x {config.bins} bins under a box",
        "proposal": "a dense mixture proposal, whose own unnormalised density scores a box",
    }
    cells = (config.search_size // 16) ** 2
    rows = {
        "parameters": f"{info.parameters:,}",
        "backbone": f"{backbone.block} blocks, widths {_show(backbone.widths)}, depths {_show(backbone.depths)}",
        "heads": heads[config.score],
        "components of the proposal": f"{cells}, one for each cell of the search crop's map",
        "template crop": _crop(config.template_size, config.template_factor),
        "search crop": _crop(config.search_size, config.search_factor),
        "share of training crops with the target": f"{config.trained_presence:.0%}",
        "written by": f"ebtrack {info.version}",
        "checksum": f"SHA-256 {info.checksum}",
    }
    usual = ModelConfig().model_dump(mode="json")
    changed = {name: value for name, value in config.model_dump(mode="json").items() if value != usual[name]}
    differs = f"Differs from the default network in: `{json.dumps(changed, sort_keys=True)}`."
    return [*_table(("", ""), rows.items()), "", differs if changed else "The default network."]


def _crop(size: int, factor: float) -> str:
    return f"{size} px at {factor:g} times the target's side"


def _use(info: WeightsInfo) -> list[str]:
    name = info.path.name
    return [
        f"    ebtrack track VIDEO --box X,Y,W,H --weights {name}",
        "",
        f'or in Python `ebtrack.load("{name}")`. `ebtrack info --weights {name}` prints the record inside the file,',
        "with the whole configuration of the run.",
    ]


def _data(training: Mapping[str, Any]) -> list[str]:
    config, sources = training.get("config", {}), training.get("sources", {})
    lines = [f"{training.get('data', 'The record does not name the data')}."]
    sets = config.get("data", {}).get("sets") or ()
    given = [{name: value for name, value in one.items() if value is not None} for one in sets]
    lines += ["", *(f"- {_show(one)}" for one in given)] if given else []
    recipe = {name: config.get("pairs", {}).get(name, 0) for name in ("video", "cutout", "still", "patch")}
    if total := sum(recipe.values()):
        shares = ", ".join(f"{name} {weight / total:.0%}" for name, weight in recipe.items())
        lines += ["", f"Kinds of pairs: {shares}."]
    counted = ((name, _show(value)) for name, value in sources.items())
    return [*lines, "", *_table(("source", "what"), counted)] if sources else lines


def _training(training: Mapping[str, Any]) -> list[str]:
    config = training.get("config", {})
    steps, batch = training.get("steps"), training.get("batch")
    rows = {
        "method": config.get("method"),
        "steps of these weights": f"{steps:,}" if isinstance(steps, int) else steps,
        "steps of the whole run": config.get("steps"),
        "pairs a step": batch,
        "pairs in all": f"{steps * batch:,}" if isinstance(steps, int) and isinstance(batch, int) else None,
        "samples M": config.get("samples"),
        "losses": config.get("loss"),
        "learning rate": config.get("learning_rate"),
        "seed": training.get("seed"),
        "began with": training.get("started_from"),
    }
    known = ((name, _show(value)) for name, value in rows.items() if value is not None)
    command = training.get("command")
    return [*([f"    {command}", ""] if command else []), *_table(("", ""), known)]


def _validation(training: Mapping[str, Any], log: Sequence[Mapping[str, float]]) -> list[str]:
    rows = _validated(log)
    names = [name for name in COLUMNS if any(name in row for row in rows)]
    if not names:
        return ["The log holds no validation."]
    chosen, step = training.get("chosen_by"), training.get("steps")
    best = f"of the highest {COLUMNS.get(chosen, chosen)} in {len(rows)} validations" if chosen else "the last ones"
    body = (
        [f"**{row['step']:,.0f}**" if row["step"] == step else f"{row['step']:,.0f}"]
        + [_number(row.get(name)) for name in names]
        for row in rows
    )
    kinds = ((_TRACKED, "track_"), (_PAIRS, "val_"))
    explained = [text for text, prefix in kinds if any(name.startswith(prefix) for name in names)]
    return [
        f"The weights are of step {_show(step)}: {best}.",
        "",
        *_table(("step", *(COLUMNS[name] for name in names)), body),
        "",
        *explained,
    ]


def _limits(training: Mapping[str, Any], log: Sequence[Mapping[str, float]]) -> list[str]:
    validation = training.get("config", {}).get("validation", {})
    rows = _validated(log)
    limits = ["One run with one seed: how much the figures would differ with another is not known."]
    if training.get("chosen_by") and len(rows) > 1:
        limits.append("The weights were chosen by the figures above, which are therefore a little too good.")
    if any(name.startswith("track_") for row in rows for name in row):
        if validation.get("sequences"):
            limits.append("The run was steered by the sequences validated on: other videos are the test.")
        else:
            limits.append(
                "The clips are held out of the training data and resemble it. Those that are stills under a moving "
                "camera show no change of appearance, no blur and no occlusion, and most targets are absent only where "
                "frames of another clip were spliced in: on real video expect a lower AO, and intervals that hold less "
                "often."
            )
    elif rows:
        limits.append("Pairs of crops say nothing of how errors add up when a video is tracked.")
    limits.append("No figure here is of a benchmark or of speed: `benchmarks/` in the repository has commands.")
    return [f"- {limit}" for limit in limits]


def _validated(log: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    """The rows that hold figures of validation, one a step, in order."""
    by_step = {row["step"]: row for row in log if any(name.startswith(("track_", "val_")) for name in row)}
    return [by_step[step] for step in sorted(by_step)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


def _show(value: Any) -> str:
    """A value of the record in one line of plain text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_show(inner)}" for name, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_show(inner) for inner in value)
    return f"{value:,}" if isinstance(value, int) else str(value)
