"""A TLS server that says in an alert why it refuses a client; asyncio's own cuts the connection without a word."""

import contextlib
import os
import select
import socket
import ssl
import threading

WAIT_SECONDS = 5.0


class Gatekeeper:
    """Wants a client certificate; `requests` are the bytes that got through. One client at a time, in a thread."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.requests: list[bytes] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def origin(self) -> str:
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> "Gatekeeper":
        self._thread.start()
        return self

    def stop(self) -> None:
        # Closing alone does not wake an accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._greet(connection)

    def _greet(self, connection: socket.socket) -> None:
        connection.settimeout(WAIT_SECONDS)
        tls = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with tls:
            try:
                tls.do_handshake()
                self.requests.append(tls.recv(65536))
            except OSError:
                wait_for_end(tls.fileno())


def wait_for_end(descriptor: int) -> None:
    """Let the client go first: a connection closed on unread bytes is reset, and the alert is lost."""
    with contextlib.suppress(OSError):
        while select.select([descriptor], [], [], WAIT_SECONDS)[0] and os.read(descriptor, 65536):
            pass
