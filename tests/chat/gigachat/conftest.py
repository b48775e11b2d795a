"""A root certificate for the tests and a server under it."""

import contextlib
import hashlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.chat.gigachat.scripted import Authority, ScriptedServer

MakeAuthority = Callable[[str], Authority]


def build_authority(ca: trustme.CA, folder: Path) -> Authority:
    """Return the authority with the file a client pins."""
    file = folder / "root.pem"
    ca.cert_pem.write_to_path(str(file))
    der = x509.load_pem_x509_certificate(ca.cert_pem.bytes()).public_bytes(Encoding.DER)
    return Authority(ca=ca, file=str(file), sha256=hashlib.sha256(der).hexdigest())


@pytest.fixture(scope="session")
def make_authority(tmp_path_factory: pytest.TempPathFactory) -> MakeAuthority:
    def make(name: str) -> Authority:
        return build_authority(trustme.CA(organization_name=name), tmp_path_factory.mktemp("authority"))

    return make


@pytest.fixture(scope="session")
def authority(make_authority: MakeAuthority) -> Authority:
    return make_authority("the pinned one")


@pytest.fixture(scope="session")
def other_authority(make_authority: MakeAuthority) -> Authority:
    return make_authority("another one")


@pytest.fixture
def server(authority: Authority) -> Iterator[ScriptedServer]:
    server = ScriptedServer(authority.issue_context()).start()
    yield server
    server.stop()


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: a new one is neither accepted nor refused."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as stack:
        address = listener.getsockname()
        for _ in range(4):
            connection = stack.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(address)
        yield address[1]
