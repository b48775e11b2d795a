"""HTTP bodies in Daphne: kept in memory, and no more of one than any path takes.

Twisted writes bodies to temporary files, where a customer's documents would lie unencrypted, and of any size.
"""

import io
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from typing_extensions import override

from assistant_project.servers.limits import BODY_BYTES


class MemoryRequest(WebRequest):  # type: ignore[misc]  # Daphne ships no types
    """What is beyond the limit is read and dropped, but for the one byte by which `BodyGuard` knows."""

    # The names are Twisted's.
    @override
    def gotLength(self, length: int | None) -> None:
        self.content = io.BytesIO()

    @override
    def handleContentChunk(self, data: bytes) -> None:
        self.content.write(data[: BODY_BYTES + 1 - self.content.tell()])

    @override
    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        # Twisted's own would take forms apart, in several copies, for arguments that Daphne never reads.
        self.content.seek(0)
        self.args: dict[bytes, list[bytes]] = {}
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        self.process()


def keep_bodies_in_memory(factory: HTTPFactory) -> None:
    """Make the factory's connections read their requests so."""
    build = factory.buildProtocol

    def build_protocol(address: Any) -> Any:
        protocol = build(address)
        protocol.requestFactory = MemoryRequest
        return protocol

    factory.buildProtocol = build_protocol
