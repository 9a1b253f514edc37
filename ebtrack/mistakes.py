"""What a user can mend is told in one line with an exit code; anything else is a bug and keeps its traceback."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

USER_ERROR, DAMAGED, INTERRUPTED = 2, 3, 130


def fail(message: str) -> NoReturn:
    """Says what is wrong and ends with `USER_ERROR`."""
    typer.echo("error: " + " ".join(message.split()), err=True)
    raise typer.Exit(USER_ERROR) from None


@contextmanager
def user_errors() -> Iterator[None]:
    """Turns the errors and warnings that are meant for users into lines of text."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: typer.echo(f"warning: {message}", err=True)
        try:
            yield
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            from networks.weights import WeightsError
            from tracker.display import DisplayError
            from tracker.sinks import OutputError
            from tracker.sources import SourceError

            if isinstance(error, SourceError | OutputError | DisplayError | WeightsError | ValueError | OSError):
                fail(str(error))
            raise
