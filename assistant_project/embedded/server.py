"""The server as a child of the demo: where it is reached, and when it is up."""

import http.client
import time

from assistant_project.embedded.children import Child
from assistant_project.embedded.errors import StartRefused

READY_SECONDS = 30.0
POLL_SECONDS = 0.05
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - reached, not listened on


def build_address(host: str, port: int) -> str:
    """Return the `host:port` under which this machine reaches a server that listens on `host`."""
    reachable = WILDCARDS.get(host, host)
    return f"[{reachable}]:{port}" if ":" in reachable else f"{reachable}:{port}"


def wait_for_server(server: Child, address: str) -> None:
    """Wait until the server at `address` answers `/livez`.

    Raises: StartRefused when it ends or needs more than 30 s.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if server.has_ended():
            raise StartRefused(f"the server ended at start; the end of {server.log_path}:\n{server.read_last_lines()}")
        if is_alive(address):
            return
        time.sleep(POLL_SECONDS)
    raise StartRefused(f"the server did not answer in {READY_SECONDS:.0f} s, see {server.log_path}")


def is_alive(address: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
