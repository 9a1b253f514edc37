"""A server for tests; what it needs is imported when it is asked for, so that tests without it can be skipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import ebtrack

if TYPE_CHECKING:
    from tests.server.visitor import Client
    from tracker.online import Tracker


@pytest.fixture(scope="session")
def tracker() -> Tracker:
    """With the default weights."""
    return ebtrack.load(device="cpu")


@pytest.fixture(scope="session")
def _client(tracker: Tracker) -> Iterator[Client]:
    from server.app import Settings, create_app
    from server.limits import Limits
    from tests.server.visitor import BASE, Client

    small = Limits(visitors=2, targets=2, frame_bytes=200_000, frame_side=640, upload_bytes=300_000, hello_s=5.0)
    with Client(create_app(tracker, Settings(limits=small)), base_url=BASE) as client:
        yield client


@pytest.fixture
def client(_client: Client) -> Client:
    """Of a server with small limits that all tests share; each leaves it without visitors."""
    return _client
