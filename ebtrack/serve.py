"""The command ``ebtrack serve``."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ebtrack.mistakes import fail, user_errors


def serve(
    host: Annotated[str, typer.Option(help="Where to listen; beyond loopback a token is demanded.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for one that is free.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="EBTRACK_TOKEN",
            help="What visitors must have in the page's address; beyond loopback one is made up when left out.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE.pem", help="TLS certificate; with --key. Cameras need it elsewhere.")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE.pem", help="The certificate's private key.")] = None,
    visitors: Annotated[int, typer.Option(min=1, max=1000, help="Most visitors at once.")] = 8,
    camera: Annotated[
        list[int] | None,
        typer.Option(min=0, metavar="N", help="A camera of this machine that visitors may use; repeat for several."),
    ] = None,
    weights: Annotated[
        str, typer.Option(metavar="NAME_OR_PATH", help="'default', or a .safetensors file.")
    ] = "default",
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; the best at hand when left out.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sampler: the same seed gives the same boxes.")] = 0,
) -> None:
    """Track in the browser: the visitor's camera, an uploaded video, or a camera of this machine.

    Exit code: 0 ended with Ctrl-C, 2 a mistake in the call.
    """
    try:
        from server.app import Settings
        from server.limits import Limits
        from server.run import Address
        from server.run import serve as run
        from server.security import Access
    except ModuleNotFoundError as error:
        if error.name not in {"fastapi", "uvicorn", "websockets", "starlette", "python_multipart"}:
            raise
        fail(f'{error.name} is missing, which the page needs: pip install "ebtrack[serve]"')

    from ebtrack.api import load

    address = Address(host, port, certificate, key)
    if token is not None and not re.fullmatch(r"[\w.~-]+", token, re.ASCII):
        fail("--token takes letters, digits and - . _ ~, at least one")
    if token is None and not address.loopback:
        token = secrets.token_urlsafe(16)
    settings = Settings(Access(token, address.loopback), Limits(visitors=visitors), tuple(sorted(set(camera or ()))))

    def ready(bound: int) -> None:
        typer.echo(f"open {address.link(bound, token)}    (Ctrl-C ends)")
        if address.host in {"0.0.0.0", "::"}:
            typer.echo("on other machines, put this machine's name or address in the place of localhost")
        if not address.loopback and certificate is None:
            typer.echo(
                "note: without --certificate and --key, browsers on other machines do not give their cameras to the "
                "page, and the token can be read on the way",
                err=True,
            )

    with user_errors(), suppress(KeyboardInterrupt):
        address.check()
        run(load(weights, device, seed), settings, address, ready)
