"""The web application: the page, the WebSocket, uploads and recordings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import FastAPI, HTTPException, Request, Response, WebSocket
from fastapi.responses import FileResponse, HTMLResponse

from server.batching import Batcher
from server.limits import Limits
from server.line import Goodbye, Line
from server.protocol import Full, ProtocolError
from server.recording import TYPES, Recordings
from server.security import Access, Guard
from server.session import Services, Session
from server.sources import Cameras
from server.uploads import Uploads
from tracker.online import Tracker

SWEEP_S = 20.0
# Some systems' own tables call scripts plain text, and browsers then refuse to run them.
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
TRY_AGAIN = 1013
"""Code of closing: come back later."""


@dataclass(frozen=True)
class Settings:
    """How the server is run."""

    access: Access = field(default_factory=Access)
    limits: Limits = field(default_factory=Limits)
    cameras: tuple[int, ...] = ()
    """Indices of the machine's cameras that visitors may look through."""


@dataclass
class _Running:
    """What exists while the server runs."""

    services: Services
    visitors: set[int] = field(default_factory=set)
    numbers: count[int] = field(default_factory=count)


def create_app(tracker: Tracker, settings: Settings | None = None, cameras: Cameras | None = None) -> FastAPI:
    """The application for an ASGI server.

    Args:
        tracker: serves all visitors.
        settings: the safe ones when left out.
        cameras: of the machine; those of the settings when left out.
    """
    chosen = settings or Settings()
    access, limits = chosen.access, chosen.limits
    page = static_files()

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        batcher = Batcher(tracker)
        executor = ThreadPoolExecutor(4, "pictures")
        with TemporaryDirectory(prefix="ebtrack-serve-") as temporary:
            folders = [Path(temporary, name) for name in ("uploads", "recordings")]
            for folder in folders:
                folder.mkdir()
            uploads, recordings = Uploads(folders[0], limits, executor), Recordings(folders[1], limits)
            app.state.running = _Running(
                Services(
                    batcher,
                    tracker.config,
                    limits,
                    uploads,
                    recordings,
                    cameras or Cameras(chosen.cameras),
                    executor,
                )
            )
            sweeping = asyncio.create_task(_sweep(uploads, recordings))
            try:
                yield
            finally:
                sweeping.cancel()
                batcher.close()
                executor.shutdown()

    # No pages that describe the interface: they load scripts from elsewhere.
    app = FastAPI(title="ebtrack", lifespan=running, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, access=access)

    @app.get("/")
    async def index() -> HTMLResponse:
        if "index.html" not in page:
            raise HTTPException(404, "the page is missing from this installation")
        return HTMLResponse(page["index.html"])

    @app.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in page:
            raise HTTPException(404, "no such file")
        return Response(page[name], media_type=KINDS.get(Path(name).suffix, "application/octet-stream"))

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/upload")
    async def upload(request: Request) -> dict[str, str]:
        if not access.allowed(request):
            raise HTTPException(403, "uploads need the server's own page, and the token where one is set")
        return {"id": await app.state.running.services.uploads.receive(request)}

    @app.get("/recordings/{key}/{name}")
    async def recording(key: str, name: str) -> FileResponse:
        path = app.state.running.services.recordings.file(key, name)
        if path is None:
            raise HTTPException(404, "no such recording, or it is older than it is kept")
        return FileResponse(path, media_type=TYPES[name], filename=name)

    @app.websocket("/ws")
    async def visit(socket: WebSocket) -> None:
        if not access.allowed(socket):
            await socket.close()  # before it is accepted: the answer is 403
            return
        await socket.accept()
        now: _Running = app.state.running
        line = Line(socket, limits)
        if len(now.visitors) >= limits.visitors:
            text = f"{limits.visitors} visitors are here, as many as this server takes: try again in a few minutes"
            with suppress(Goodbye, ProtocolError, TimeoutError):  # the answer to hello must not come before it
                await asyncio.wait_for(line.receive(), limits.hello_s)
            await line.close(Full(message=text), TRY_AGAIN)
            return
        number = next(now.numbers)
        now.visitors.add(number)
        try:
            await Session(line, now.services, number).run()
        finally:
            now.visitors.discard(number)

    return app


def static_files() -> dict[str, bytes]:
    """The page's files by name, read once: no request ever names a path."""
    folder = files("server") / "static"
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()} if folder.is_dir() else {}


async def _sweep(uploads: Uploads, recordings: Recordings) -> None:
    with suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(SWEEP_S)
            uploads.sweep()
            recordings.sweep()
