"""Sockets on which nothing happens: what each holds of memory, and what all of them cost of a core."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.machine import read_cpu_seconds, read_family_cpu_seconds, read_resident_bytes
from tests.bench.sockets import Person, Phone, SocketClosedError
from tests.bench.stand import Endpoint, Stand
from tests.bench.tally import Tally

# Opened and closed before the first reading, so that code loaded on first use is not counted to the sockets.
WARM_UP_SOCKETS = 20
OPENING_AT_ONCE = 32
SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleSample:
    """`cpu_percent` of one core, over `seconds`."""

    sockets: int
    seconds: float
    kib_per_socket: float
    cpu_percent: float
    database_cpu_percent: float
    pings: int


@dataclass(slots=True)
class Crowd:
    """The idle phones of one server, and how large the server was without them."""

    endpoint: Endpoint
    phones: list[Phone]
    resident_bytes: int


async def measure_idle(
    stand: Stand, endpoints: Sequence[Endpoint], *, sockets: int, seconds: float
) -> list[IdleSample]:
    """Fill one server after the other with sockets, then watch all of them for the same `seconds`."""
    crowds = [await gather_crowd(endpoint, stand.people[:sockets]) for endpoint in endpoints]
    await asyncio.sleep(SETTLE_SECONDS)
    database = stand.postgres.child.pid
    cpu = [read_cpu_seconds(crowd.endpoint.child.pid) for crowd in crowds]
    database_cpu, started = read_family_cpu_seconds(database), time.monotonic()
    await asyncio.sleep(seconds)
    passed = time.monotonic() - started
    # One reading for all servers: each has its share of the same polls.
    database_percent = (read_family_cpu_seconds(database) - database_cpu) / passed / len(crowds) * 100
    return [
        read_crowd(crowd, seconds=passed, cpu_before=before, database_percent=database_percent)
        for crowd, before in zip(crowds, cpu, strict=True)
    ]


async def gather_crowd(endpoint: Endpoint, people: Sequence[Person]) -> Crowd:
    warm_up = await open_phones(endpoint, people[:WARM_UP_SOCKETS])
    for phone in warm_up:
        phone.leave()
    await asyncio.sleep(SETTLE_SECONDS)
    resident = read_resident_bytes(endpoint.child.pid)
    return Crowd(endpoint, await open_phones(endpoint, people), resident)


async def open_phones(endpoint: Endpoint, people: Sequence[Person]) -> list[Phone]:
    gate = asyncio.Semaphore(OPENING_AT_ONCE)

    async def open_phone(person: Person) -> Phone:
        async with gate:
            return await Phone(person, Tally()).connect(endpoint.port, follows=True)

    return await asyncio.gather(*(open_phone(person) for person in people))


def read_crowd(crowd: Crowd, *, seconds: float, cpu_before: float, database_percent: float) -> IdleSample:
    pid = crowd.endpoint.child.pid
    cpu_percent = (read_cpu_seconds(pid) - cpu_before) / seconds * 100
    # After the watch: what answering pings has left behind belongs to a socket too.
    grown = read_resident_bytes(pid) - crowd.resident_bytes
    if any(phone.is_closed for phone in crowd.phones):
        raise SocketClosedError(f"{crowd.endpoint.name} closed an idle socket")
    return IdleSample(
        sockets=len(crowd.phones),
        seconds=seconds,
        kib_per_socket=grown / len(crowd.phones) / 1024,
        cpu_percent=cpu_percent,
        database_cpu_percent=database_percent,
        pings=sum(phone.pings for phone in crowd.phones),
    )
