"""Streams through one server: how late tokens come, and what they cost."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.machine import read_cpu_seconds, read_family_cpu_seconds
from tests.bench.marks import FLOOD_PROMPT, PACED_PROMPT
from tests.bench.sockets import Phone, RelayReader, SocketClosedError
from tests.bench.stand import Endpoint, Stand
from tests.bench.tally import Sample, Tally, build_sample

FIRST_TOKEN_SECONDS = 30.0
# From the last stream's first token to the measurement: what starting them has set in motion comes to rest.
SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """paced: a hundred phones at reading speed. flood: as fast as it goes."""

    name: str
    prompt: str
    streams: int


PACED = Mode(name="paced", prompt=PACED_PROMPT, streams=100)
FLOOD = Mode(name="flood", prompt=FLOOD_PROMPT, streams=8)


async def measure_streams(stand: Stand, endpoint: Endpoint, mode: Mode, *, seconds: float) -> Sample:
    """Stream to every socket and measure for `seconds` once all of them run."""
    tally = Tally()
    is_relay = endpoint is stand.relay
    if is_relay:
        readers = await open_relay_readers(endpoint, mode, tally)
    else:
        readers = await open_phones(stand, endpoint, mode, tally)
    try:
        await wait_for_first_tokens(readers)
        await asyncio.sleep(SETTLE_SECONDS)
        sample = await observe(stand, endpoint, tally, seconds=seconds)
        if any(reader.is_closed for reader in readers):
            raise SocketClosedError(f"{endpoint.name} closed a socket while it was measured")
        if not is_relay:
            await asyncio.gather(*(reader.cancel() for reader in readers if isinstance(reader, Phone)))
    finally:
        for reader in readers:
            reader.leave()
    await stand.wait_until_quiet()
    return sample


async def open_relay_readers(endpoint: Endpoint, mode: Mode, tally: Tally) -> Sequence[RelayReader | Phone]:
    readers = [RelayReader(tally) for _number in range(mode.streams)]
    await asyncio.gather(*(reader.open(endpoint.port, f"/{mode.prompt}") for reader in readers))
    return readers


async def open_phones(stand: Stand, endpoint: Endpoint, mode: Mode, tally: Tally) -> Sequence[RelayReader | Phone]:
    phones = [Phone(person, tally) for person in stand.people[: mode.streams]]
    await asyncio.gather(*(phone.connect(endpoint.port, follows=False) for phone in phones))
    await asyncio.gather(*(phone.submit(mode.prompt) for phone in phones))
    return phones


async def wait_for_first_tokens(readers: Sequence[RelayReader | Phone]) -> None:
    async with asyncio.timeout(FIRST_TOKEN_SECONDS):
        await asyncio.gather(*(reader.first_token for reader in readers))


async def observe(stand: Stand, endpoint: Endpoint, tally: Tally, *, seconds: float) -> Sample:
    server, database = endpoint.child.pid, stand.postgres.child.pid
    cpu, database_cpu = read_cpu_seconds(server), read_family_cpu_seconds(database)
    started = time.monotonic()
    tally.is_open = True
    await asyncio.sleep(seconds)
    tally.is_open = False
    return build_sample(
        tally,
        seconds=time.monotonic() - started,
        cpu_seconds=read_cpu_seconds(server) - cpu,
        database_cpu_seconds=read_family_cpu_seconds(database) - database_cpu,
    )
