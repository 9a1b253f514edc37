"""Who may speak to the server, and what browsers may do with its page."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The address of the page may bear the token.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class Access:
    """Who is let in.

    Beyond loopback a token is demanded of everybody. On loopback the machine's own users are let in without, but only
    by a loopback name: else a foreign page whose name is made to point here could speak to the server.
    """

    token: str | None = None
    loopback: bool = True

    def __post_init__(self) -> None:
        if not self.loopback and not self.token:
            raise ValueError("beyond loopback a token is needed: give one with --token")

    def host_allowed(self, headers: Headers) -> bool:
        """Whether the server goes by this name."""
        return not self.loopback or host_name(headers.get("host", "")) in LOOPBACK

    def allowed(self, connection: HTTPConnection) -> bool:
        """Whether a WebSocket or an upload comes from a page of this server, or from no page, and bears the token."""
        origin = connection.headers.get("origin")
        if origin is not None and origin_place(origin) != connection.headers.get("host", "").lower():
            return False
        given = connection.query_params.get("token", "")
        return self.token is None or hmac.compare_digest(given.encode(), self.token.encode())


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets; empty where it is no name and port."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname or "" if parts.netloc == host and "@" not in host else ""
    except ValueError:
        return ""


def origin_place(origin: str) -> str:
    """Name and port of an origin; empty where it has none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


class Guard:
    """ASGI middleware: refuses foreign names, and puts the page's headers on every answer.

    Args:
        app: what is guarded.
        access: who is let in.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in PAGE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if self._access.host_allowed(Headers(scope=scope)):
            await self._app(scope, receive, with_headers)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008)(scope, receive, send)
        else:
            refusal = PlainTextResponse("This server answers to localhost and 127.0.0.1 only.\n", 403)
            await refusal(scope, receive, with_headers)
