"""A tiny egress proxy: understands CONNECT, remembers what it was told, and passes bytes. In a thread of its own."""

import asyncio
import contextlib
import threading

WAIT_SECONDS = 5.0


class Tunnel:
    """`heads` are the requests it got; it answers them with `status`, and with 407 unless `authorization` matches."""

    def __init__(self, *, authorization: str = "", status: int = 200) -> None:
        self.heads: list[str] = []
        self.port = 0
        self._authorization = authorization
        self._status = status
        self._is_ready = threading.Event()
        self._writers: list[asyncio.StreamWriter] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Tunnel":
        self._thread.start()
        assert self._is_ready.wait(WAIT_SECONDS)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop_event.set)
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop_event = asyncio.Event()
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        self._is_ready.set()
        await self._stop_event.wait()
        listener.close()
        for writer in self._writers:
            writer.transport.abort()
        # The pumps end with their connections.
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._tunnel(reader, writer)
        writer.transport.abort()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        is_allowed = not self._authorization or f"Proxy-Authorization: {self._authorization}\r\n" in head
        status = self._status if is_allowed else 407
        if status != 200:
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            return
        host, _, port = head.split(" ")[1].partition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        self._writers.append(far_writer)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
