"""Where the demo's server is reached, and when it counts as up."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from assistant_project.embedded import server
from assistant_project.embedded.children import Child, start_child
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.server import build_address, is_alive, wait_for_server


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1:8000"),
        ("0.0.0.0", "127.0.0.1:8000"),
        ("::", "[::1]:8000"),
        ("::1", "[::1]:8000"),
        ("bank.example", "bank.example:8000"),
    ],
)
def test_build_address_is_reachable_from_here(host: str, address: str) -> None:
    assert build_address(host, 8000) == address


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Child]:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = start_child("server", command, log_path=tmp_path / "log", environment={})
    yield child
    child.stop()


class Answer(BaseHTTPRequestHandler):
    """Answers 503 once, then 200."""

    answers = [503, 200]

    def do_GET(self) -> None:
        self.send_response(self.answers.pop(0))
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_wait_ends_when_the_server_is_alive(sleeper: Child) -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        try:
            wait_for_server(sleeper, f"127.0.0.1:{listener.server_port}")
        finally:
            listener.shutdown()
            thread.join(5)

    assert Answer.answers == []


def test_nobody_listening_is_not_alive() -> None:
    assert not is_alive("127.0.0.1:1")


def test_server_that_ends_is_told_with_its_last_lines(sleeper: Child) -> None:
    sleeper.log_path.write_text("one\nno such table\n", encoding="utf-8")
    sleeper.process.kill()
    sleeper.process.wait(5)

    with pytest.raises(StartRefused, match=r"the server ended at start; the end of (?s:.*)no such table"):
        wait_for_server(sleeper, "127.0.0.1:1")


def test_server_that_never_answers_is_refused(sleeper: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "READY_SECONDS", 0.1)

    with pytest.raises(StartRefused, match="did not answer"):
        wait_for_server(sleeper, "127.0.0.1:1")
