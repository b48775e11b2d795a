"""Who is connected to this node: one socket per device, a few per customer; closes those that must go."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from chat.protocol.codes import CloseCode
from chat.socket.session import Session


@dataclass(frozen=True, slots=True)
class Device:
    """A device that has just connected."""

    customer_id: UUID
    device_id: str


class Roster:
    """The sockets that said hello. A draining socket does not count: its successor may come beside it."""

    def __init__(self, on_enter: Callable[[Device], None]) -> None:
        self._on_enter = on_enter
        self._by_customer: dict[UUID, set[Session]] = {}
        self._emptied = asyncio.Event()

    def __len__(self) -> int:
        return sum(len(sessions) for sessions in self._by_customer.values())

    def __iter__(self) -> Iterator[Session]:
        return iter([session for sessions in self._by_customer.values() for session in sessions])

    def add(self, session: Session, *, limit: int) -> list[Session]:
        """Enter a socket and return those of the same device that it replaces.

        Raises: TooManySockets when the customer has `limit` sockets on other devices.
        """
        claims = session.require_claims()
        own = self._by_customer.setdefault(claims.customer_id, set())
        living = [other for other in own if not other.is_closed]
        replaced = [other for other in living if other.require_claims().device_id == claims.device_id]
        if len(living) - len(replaced) >= limit:
            raise TooManySockets
        own.add(session)
        self._on_enter(Device(claims.customer_id, claims.device_id))
        return [other for other in replaced if not other.is_draining]

    def remove(self, session: Session) -> None:
        if session.claims is None:
            return
        own = self._by_customer.get(session.claims.customer_id)
        if own is not None:
            own.discard(session)
            if not own:
                del self._by_customer[session.claims.customer_id]
        if not self._by_customer:
            self._emptied.set()

    async def wait_until_empty(self) -> None:
        """Wait until the last socket has left."""
        while self._by_customer:
            self._emptied.clear()
            await self._emptied.wait()

    async def close_device(self, device: Device) -> None:
        """Close the sockets that a newer one of the same device, on another node, replaces."""
        for session in tuple(self._by_customer.get(device.customer_id, ())):
            if session.require_claims().device_id == device.device_id and not session.is_draining:
                await session.close(CloseCode.REPLACED)

    async def close_revoked(self, session_ids: Collection[UUID]) -> None:
        """Close the sockets of revoked device sessions."""
        # Asked every second, nearly always about none: then the sockets are not even looked at.
        for session in self if session_ids else ():
            if session.require_claims().session_id in session_ids:
                await session.close(CloseCode.SESSION_REVOKED)


class TooManySockets(Exception):
    """The customer is connected from as many devices as are allowed."""
