"""Puts the application on the network."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from server.app import Settings, create_app
from server.protocol import HEADER
from server.security import LOOPBACK
from tracker.online import Tracker

CONNECTIONS_A_VISITOR = 8
"""Of HTTP and WebSocket together, before the server answers that it is busy."""
REQUEST_S = 10.0
"""Until a connection that has not made a request is closed; uvicorn itself would wait for ever."""


@dataclass(frozen=True)
class Address:
    """Where to listen, and with what certificate."""

    host: str = "127.0.0.1"
    port: int = 8000
    """0 for one that is free."""
    certificate: Path | None = None
    """PEM file with the chain."""
    key: Path | None = None
    """PEM file with its private key."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK

    def check(self) -> None:
        """Whether the certificate can be used.

        Raises:
            ValueError: it cannot; the message says why.
        """
        if (self.certificate is None) != (self.key is None):
            raise ValueError("give --certificate and --key together")
        if self.certificate and self.key:
            for path in (self.certificate, self.key):
                if not path.is_file():
                    raise ValueError(f"no file at {path}: give a PEM file")
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, password="")
            except (ssl.SSLError, OSError) as error:
                raise ValueError(
                    f"{self.certificate} and {self.key} are no PEM certificate and its unlocked key: {error}"
                ) from None

    def listen(self) -> socket.socket:
        """The socket, bound.

        Raises:
            ValueError: the port is taken, or the host is none of this machine's.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family)
        except (OSError, OverflowError) as error:
            raise ValueError(
                f"cannot listen on {self.host} port {self.port} ({error}): choose another --port or --host"
            ) from None

    def link(self, port: int, token: str | None) -> str:
        """The page's address for a browser on this machine."""
        name = "localhost" if self.host in {"0.0.0.0", "::", *LOOPBACK} else self.host
        name = f"[{name}]" if ":" in name else name
        query = f"?token={token}" if token else ""
        return f"{'https' if self.certificate else 'http'}://{name}:{port}/{query}"


def serve(tracker: Tracker, settings: Settings, address: Address, ready: Callable[[int], None]) -> None:
    """Serves until Ctrl-C.

    Args:
        tracker: serves all visitors.
        settings: who may do what.
        address: where to listen.
        ready: called with the port once it is bound.

    Raises:
        ValueError: the address or the certificate cannot be used.
    """
    address.check()
    with address.listen() as bound:
        ready(bound.getsockname()[1])
        uvicorn.Server(configured(create_app(tracker, settings), settings, address)).run(sockets=[bound])


class PromptProtocol(H11Protocol):
    """HTTP that is spoken soon: who connects and makes no request takes nobody's place for long."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self.loop.call_later(REQUEST_S, self._let_go)

    def _let_go(self) -> None:
        # A WebSocket has left `connections` for a protocol of its own.
        if not self.cycle and self in self.connections:
            self.transport.abort()


def configured(app: FastAPI, settings: Settings, address: Address) -> uvicorn.Config:
    """How uvicorn serves the application."""
    return uvicorn.Config(
        app,
        http=PromptProtocol,
        # Addresses bear tokens: they are not logged.
        log_level="warning",
        access_log=False,
        ws_max_size=settings.limits.frame_bytes + HEADER.size,
        # JPEG does not shrink further, and what unfolds without bound is a weapon.
        ws_per_message_deflate=False,
        limit_concurrency=CONNECTIONS_A_VISITOR * (settings.limits.visitors + 1),
        # Addresses in forwarding headers are anybody's word.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
    )
