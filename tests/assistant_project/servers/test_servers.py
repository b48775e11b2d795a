"""Both servers keep the same promises: frame limit, honest close codes, back-pressure, lifespan, orderly end."""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

# Generous: a server starts in half a second, on a machine that runs ten of them at once in many.
WAIT_SECONDS = 30.0
PINNED_FRAME_BYTES = 65_536


class Sample:
    """The sample application in its own process."""

    def __init__(self, server: str, *arguments: str) -> None:
        self.port = find_free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.assistant_project.servers.sample", server, str(self.port), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(WAIT_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
        self._reader.join(WAIT_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.strip())

    def expect(self, wanted: str) -> None:
        """Wait until the application says `wanted`."""
        while True:
            if self._lines.get(timeout=WAIT_SECONDS) == wanted:
                return

    def read_lines(self) -> list[str]:
        lines = []
        while not self._lines.empty():
            lines.append(self._lines.get())
        return lines

    def get(self) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}/", timeout=WAIT_SECONDS)

    def connect(self, **options: Any) -> ClientConnection:
        subprotocols: Any = ["asst.v1.json"]
        url = f"ws://127.0.0.1:{self.port}/ws/v1"
        client: ClientConnection = connect(url, subprotocols=subprotocols, open_timeout=WAIT_SECONDS, **options)
        return client

    def wait_until_listening(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            threading.Event().wait(0.02)
        raise AssertionError("the sample server did not listen")


def find_free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(params=["daphne", "uvicorn"])
def sample(request: pytest.FixtureRequest) -> Iterator[Sample]:
    with closing(Sample(request.param)) as running:
        running.expect("started")
        running.wait_until_listening()
        yield running


def send_raw(client: ClientConnection, frame: Frame) -> None:
    client.socket.sendall(frame.serialize(mask=True))


def read_close_code(client: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=WAIT_SECONDS)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_serve_runs_uvloop_and_names_no_server(sample: Sample) -> None:
    response = sample.get()

    assert (response.status_code, response.text) == (200, "uvloop")
    assert "server" not in {name.lower() for name in response.headers}


def test_socket_negotiates_subprotocol_without_compression(sample: Sample) -> None:
    with sample.connect() as client:
        assert client.response is not None
        assert client.response.headers["Sec-WebSocket-Protocol"] == "asst.v1.json"
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        assert "Server" not in client.response.headers


def test_frame_of_limit_is_accepted(sample: Sample) -> None:
    with sample.connect() as client:
        client.send("a" * PINNED_FRAME_BYTES)

        assert client.recv(timeout=WAIT_SECONDS) == f"echo {PINNED_FRAME_BYTES}"


@pytest.mark.parametrize(
    ("build", "code"),
    [
        pytest.param(lambda: Frame(Opcode.TEXT, b"a" * (PINNED_FRAME_BYTES + 1)), 1009, id="too-large"),
        pytest.param(lambda: Frame(Opcode.TEXT, b"\xff\xfe"), 1007, id="invalid-utf8"),
    ],
)
def test_broken_frame_is_closed_with_its_code(sample: Sample, build: Callable[[], Frame], code: int) -> None:
    with sample.connect() as client:
        send_raw(client, build())

        assert read_close_code(client) == code

    with sample.connect() as client:
        client.send("alive")
        assert client.recv(timeout=WAIT_SECONDS) == "echo 5"


def test_fragments_beyond_limit_are_closed_with_1009(sample: Sample) -> None:
    with sample.connect() as client:
        half = b"a" * (PINNED_FRAME_BYTES // 2 + 1)
        send_raw(client, Frame(Opcode.TEXT, half, fin=False))
        send_raw(client, Frame(Opcode.CONT, half))

        assert read_close_code(client) == 1009


def test_application_waits_for_phone_that_does_not_read(sample: Sample) -> None:
    """32 MB are offered; the kernel's buffers and ours take a few, then the application waits."""
    raw = open_raw_socket(sample.port)
    try:
        raw.sendall(Frame(Opcode.TEXT, b"flood").serialize(mask=True))
        sample.expect("flooded 0")
        sample.get()  # the server is not busy
        assert "flooded all" not in wait_for_quiet(sample)
    finally:
        raw.close()


def test_download_waits_for_a_reader_that_does_not_read_and_then_comes_whole(sample: Sample) -> None:
    """32 MB are offered; the kernel's buffers and ours take a few, then the application waits for the reader."""
    with socket.create_connection(("127.0.0.1", sample.port), WAIT_SECONDS) as raw:
        raw.sendall(b"GET /flood HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        sample.expect("flooded 0")
        sample.get()  # the server is not busy
        assert "flooded all" not in wait_for_quiet(sample)
        received = b""
        while piece := raw.recv(1_048_576):
            received += piece
        assert received.partition(b"\r\n\r\n")[2].count(b"x") == 2_000 * 16_384
    sample.expect("flooded all")


def test_download_whose_reader_leaves_does_not_hold_the_server(sample: Sample) -> None:
    with socket.create_connection(("127.0.0.1", sample.port), WAIT_SECONDS) as raw:
        raw.sendall(b"GET /flood HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        sample.expect("flooded 0")
    # Both servers drop what is sent to nobody.
    sample.expect("flooded all")

    assert sample.get().status_code == 200


def wait_for_quiet(sample: Sample) -> list[str]:
    """Return what the application says until it has said nothing for half a second."""
    said: list[str] = []
    while True:
        try:
            said.append(sample._lines.get(timeout=0.5))
        except queue.Empty:
            return said


def open_raw_socket(port: int) -> socket.socket:
    """Open a WebSocket that never reads after the handshake."""
    raw = socket.create_connection(("127.0.0.1", port), WAIT_SECONDS)
    raw.sendall(
        b"GET /ws/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: asst.v1.json\r\n\r\n"
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(1)
    assert answer.startswith(b"HTTP/1.1 101")
    return raw


def test_phone_that_sends_much_at_once_is_answered_in_full(sample: Sample) -> None:
    """More frames than the server queues for the application: reading pauses and resumes, nothing is lost."""
    with sample.connect(max_queue=None) as client:
        for _ in range(500):
            client.send("ping")
        answers = [client.recv(timeout=WAIT_SECONDS) for _ in range(500)]

    assert answers == ["echo 4"] * 500


def test_sigterm_drains_open_sockets_then_ends_cleanly(sample: Sample) -> None:
    with sample.connect() as client:
        client.send("hello")
        assert client.recv(timeout=WAIT_SECONDS) == "echo 5"
        sample.process.send_signal(signal.SIGTERM)

        assert client.recv(timeout=WAIT_SECONDS) == "goodbye"
        assert read_close_code(client) == 4414
    sample.expect("stopped")
    assert sample.process.wait(WAIT_SECONDS) in {0, -signal.SIGTERM}


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_serve_with_failing_start_never_listens(server: str) -> None:
    with closing(Sample(server, "fail")) as failing:
        assert failing.process.wait(WAIT_SECONDS) > 0
        with pytest.raises(requests.ConnectionError):
            failing.get()


def test_daphne_cancels_applications_that_do_not_end() -> None:
    with closing(Sample("daphne")) as running:
        running.expect("started")
        running.wait_until_listening()
        with running.connect() as client:
            client.send("hang")
            assert client.ping().wait(WAIT_SECONDS)
            os.kill(running.process.pid, signal.SIGTERM)

            running.expect("cancelled")
            assert running.process.wait(WAIT_SECONDS) == 0
