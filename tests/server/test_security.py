"""Who is let in, and what can be read."""

from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("python_multipart", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("httpx", reason='the server needs pip install "ebtrack[dev,serve]"')

from starlette.websockets import WebSocketDisconnect

from server.app import Settings, create_app
from server.security import Access
from tests.server.visitor import BASE, SOCKET, Client, Visitor
from tracker.online import Tracker

OUTSIDE = "http://192.0.2.7"


def greeted(client: Client, url: str = SOCKET, **headers: str) -> bool:
    """Whether a WebSocket with these headers is let in."""
    try:
        with client.websocket_connect(url, headers=headers) as socket:
            socket.send_text('{"type":"hello","version":1}')
            return "welcome" in socket.receive_text()
    except WebSocketDisconnect:
        return False


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1", True),
        ("https://127.0.0.1", True),  # behind something that ends TLS
        ("http://127.0.0.1:8000", False),
        ("http://evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://127.0.0.1@evil.example", False),
        ("null", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_only_pages_of_this_server_are_let_in(client: Client, origin: str, allowed: bool) -> None:
    assert greeted(client, origin=origin) is allowed
    upload = client.post("/upload", files={"file": b"x"}, headers={"origin": origin})
    assert (upload.status_code == 403) is not allowed


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "", "[", "192.0.2.7", "a@127.0.0.1", "127.0.0.1#.a", "127.0.0.1/a"],
)
def test_on_loopback_other_names_are_refused(client: Client, host: str) -> None:
    assert client.get("/health", headers={"host": host}).status_code == 403
    assert not greeted(client, host=host)
    assert not greeted(client, host=host, origin=f"http://{host}")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
def test_loopback_names_are_let_in(client: Client, host: str) -> None:
    assert client.get("/health", headers={"host": host}).status_code == 200
    assert greeted(client, host=host, origin=f"http://{host}")


def test_a_token_is_demanded_where_one_is_set(tracker: Tracker) -> None:
    app = create_app(tracker, Settings(Access("s3cret", loopback=False)))
    with Client(app, base_url=OUTSIDE) as client:
        url = "ws://192.0.2.7/ws"
        assert greeted(client, f"{url}?token=s3cret", origin=OUTSIDE)
        assert not greeted(client, f"{url}?token=s3cret", origin="http://evil.example")
        for query in ("", "?token=", "?token=S3cret", "?token=s3cret%00", "?token=%C3%A9"):
            assert not greeted(client, url + query)
            assert client.post(f"/upload{query}", files={"file": b"x"}).status_code == 403
        assert client.post("/upload?token=s3cret", files={"file": b"x"}).status_code == 415


def test_beyond_loopback_there_is_always_a_token() -> None:
    for token in (None, ""):
        with pytest.raises(ValueError, match="--token"):
            Access(token, loopback=False)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/app.py",
        "/recordings/../uploads/x",
        "/recordings/..%2f/boxes.csv",
        "/recordings/x/..%2f..%2fpasswd",
        "/docs",
        "/openapi.json",
    ],
)
def test_no_path_of_the_server_can_be_read(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_answers_tell_browsers_to_run_nothing_from_elsewhere(client: Client) -> None:
    for path in ("/", "/health", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_one_visitor_too_many_is_told_so(client: Client) -> None:
    with Visitor(client), Visitor(client), Visitor(client) as third:
        assert third.welcome == {
            "type": "full",
            "message": "2 visitors are here, as many as this server takes: try again in a few minutes",
        }
        with pytest.raises(WebSocketDisconnect) as closed:
            third.hear()
        assert closed.value.code == 1013
    with Visitor(client) as next_:
        assert next_.welcome["type"] == "welcome"


def test_the_pages_files_come_with_the_kind_that_browsers_demand(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "static").mkdir()
    for name in ("index.html", "page.js", "style.css"):
        (tmp_path / "static" / name).write_text(f"this is {name}")
    (tmp_path / "secret.js").write_text("secret")
    monkeypatch.setattr("server.app.files", lambda package: tmp_path)
    with Client(create_app(tracker), base_url=BASE) as client:
        assert client.get("/").text == "this is index.html"
        kinds = {name: client.get(f"/static/{name}").headers["content-type"] for name in ("page.js", "style.css")}
        assert kinds == {"page.js": "text/javascript; charset=utf-8", "style.css": "text/css; charset=utf-8"}
        assert client.get("/static/secret.js").status_code == 404
        assert client.get("/static/..%2fsecret.js").status_code == 404
