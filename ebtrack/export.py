"""The command ``ebtrack export``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ebtrack.loading import loading
from ebtrack.mistakes import user_errors


class Format(StrEnum):
    """What runtimes read."""

    onnx = "onnx"
    openvino = "openvino"
    torchscript = "torchscript"
    tensorrt = "tensorrt"


def export(
    weights: Annotated[str, typer.Argument(metavar="WEIGHTS", help="'default', or a .safetensors file.")],
    format_: Annotated[Format, typer.Option("--format", help="What the runtime reads.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the graphs and what a runtime needs to know.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
) -> None:
    """Write the networks as graphs that run without ebtrack and without PyTorch.

    Exit code: 0 all well, 2 a mistake in the call.
    """
    with user_errors():
        if format_ is Format.tensorrt:
            raise ValueError(
                "an engine of TensorRT runs only on the kind of GPU that it was built on, so it is built there: "
                "export with --format onnx; README.md in that folder has the commands of trtexec"
            )
        with loading():
            from ebtrack.exporting import export_folder

        for path in export_folder(weights, format_.value, out, overwrite):
            typer.echo(path)
