"""`ebtrack serve`: mistakes in the call, and a run from the address to Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason='the server needs pip install "ebtrack[dev,serve]"')
pytest.importorskip("uvicorn", reason='the server needs pip install "ebtrack[dev,serve]"')

import typer
from typer.testing import CliRunner

from ebtrack.serve import serve
from server.run import Address

ROOT = Path(__file__).resolve().parent.parent.parent
app = typer.Typer()
app.command()(serve)


def assert_refused(words: str, *arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_mistakes_in_the_call_are_one_line(tmp_path: Path) -> None:
    pem = tmp_path / "a.pem"
    pem.write_text("hello")
    assert_refused("--certificate and --key together", "--certificate", str(pem))
    assert_refused("no file at", "--certificate", str(pem), "--key", str(tmp_path / "b.pem"))
    assert_refused("no PEM certificate", "--certificate", str(pem), "--key", str(pem))
    assert_refused("--token takes letters", "--token", "a b")
    assert_refused("--token takes letters", "--token", "")
    assert_refused("no weights file", "--weights", str(tmp_path / "none.safetensors"))
    assert_refused("no device", "--device", "abacus")


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(ValueError, match=f"cannot listen on 127.0.0.1 port {port} .*another --port"):
            Address(port=port).listen()
    with pytest.raises(ValueError, match="cannot listen"):
        Address(host="no.such.host.invalid").listen()


def test_links_are_for_a_browser_on_this_machine() -> None:
    pem = Path("a.pem")
    assert Address().link(8000, None) == "http://localhost:8000/"
    assert Address("0.0.0.0", 1, pem, pem).link(1, "abc") == "https://localhost:1/?token=abc"
    assert Address("192.0.2.7").link(80, "abc") == "http://192.0.2.7:80/?token=abc"
    assert Address("2001:db8::1").link(80, None) == "http://[2001:db8::1]:80/"


def test_it_serves_until_ctrl_c_and_makes_up_a_token_beyond_loopback() -> None:
    code = "import typer; from ebtrack.serve import serve; typer.run(serve)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        [sys.executable, "-c", code, "--host", "0.0.0.0", "--port", "0", "--device", "cpu"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert server.stdout
        line = server.stdout.readline()
        found = re.match(r"open http://localhost:(\d+)/\?token=([\w-]{20,}) ", line)
        assert found, line
        assert "in the place of localhost" in server.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/health", timeout=20) as answer:
            assert answer.read() == b'{"status":"ok"}'
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=20)
    finally:
        server.kill()
    assert server.returncode == 0, errors
    assert errors.startswith("note: without --certificate")
    assert "Traceback" not in errors
    assert found[2] not in errors
