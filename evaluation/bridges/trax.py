"""The tracker as a TraX server, the protocol in which the VOT toolkit runs trackers (Cehovin Zajc, 2017).

``python -m evaluation.bridges.trax`` talks TraX over its standard streams, or over the socket that the client names in
the environment. The package ``trax`` comes with the extra ``vot``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tracker.frames import Box
from tracker.sources.base import SourceError
from tracker.sources.images import ImageFiles
from tracker.track import Track

if TYPE_CHECKING:
    from trax.server import Server

    from tracker.online import Tracker


def serve(server: Server, tracker: Tracker) -> None:
    """Answers a client's requests until it says quit.

    The first frame of a sequence is answered by the given box with confidence 1; every other one by the estimate, with
    P(present) as the confidence, by which the toolkit ranks frames in its long-term measures.

    Raises:
        SourceError: a frame cannot be read; the message names the file.
        ValueError: a region cannot be tracked; the message names the frame's file.
    """
    from trax import Rectangle, TraxStatus

    while (request := server.wait()).type != TraxStatus.QUIT:
        path = request.image["color"].path()
        with ImageFiles(path, path, [Path(path)]) as picture:
            image = picture.first().image
        if request.type == TraxStatus.INITIALIZE:
            # The server asked for rectangles, and libtrax makes them of the polygons and masks of the client.
            box: Box = request.objects[0][0].bounds()
            try:
                tracker.init(image, box)
            except ValueError as error:
                raise ValueError(f"no target can be tracked from {path}: {error}") from error
            confidence = 1.0
        else:
            track = tracker.update(image)
            assert isinstance(track, Track)  # init was given one box
            box, confidence = track.box, track.presence
        server.status([(Rectangle.create(*box), {"confidence": confidence})])


def main(
    weights: Annotated[
        str, typer.Option(metavar="NAME_OR_PATH", help="'default', or a .safetensors file.")
    ] = "default",
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; the best at hand when left out.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sampler: the same seed gives the same boxes.")] = 0,
) -> None:
    """Track for a TraX client, such as the VOT toolkit.

    Exit code: 0 the client said quit, 2 something cannot be used; the client is told what.
    """
    from ebtrack.api import load
    from networks.weights import WeightsError

    try:
        import trax
    except ImportError:
        _fail("the bridge to VOT needs the package trax: pip install 'ebtrack[vot]'")
    try:
        tracker = load(weights, device, seed)
    except (WeightsError, ValueError) as error:
        _fail(str(error))
    server = trax.Server([trax.Region.RECTANGLE], [trax.Image.PATH], tracker_name="ebtrack")
    try:
        serve(server, tracker)
    except (SourceError, ValueError, trax.TraxException) as error:
        server.quit(str(error))
        _fail(str(error))
    server.quit()


def _fail(message: str) -> NoReturn:
    # A client that shares this stream with the protocol shows what is not of the protocol as the tracker's log.
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
