"""What a node looks at by itself: the clock, logs that grew without a hint, sessions that were revoked."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from accounts.selectors import list_revoked_since
from chat.database import run_in_database
from chat.protocol.frames import encode_signal
from chat.protocol.replies import TurnQueued
from chat.queue import list_places
from chat.socket.heartbeat import check_session
from chat.socket.hub import Hub
from chat.socket.roster import Roster
from chat.stream import list_recent_tops

logger = logging.getLogger(__name__)

# A lost hint costs at most twice this much.
POLL_SECONDS = 0.25
REVOCATION_SECONDS = 1.0
PLACES_SECONDS = 1.0
# A row becomes visible when its transaction commits, a little after the time it carries.
OVERLAP = timedelta(seconds=10)


class Watcher:
    """One per process: a few loops that do nothing while nobody is connected."""

    def __init__(self, hub: Hub, roster: Roster, *, tick_seconds: float) -> None:
        self._hub = hub
        self._roster = roster
        self._tick_seconds = tick_seconds
        self._places: dict[UUID, int] = {}
        self._tops: dict[UUID, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._repeat(self._tick, self._tick_seconds), name="watch-clock"),
            asyncio.create_task(self._repeat(self._poll, POLL_SECONDS), name="watch-logs"),
            asyncio.create_task(self._repeat(self._tell_places, PLACES_SECONDS), name="watch-queue"),
            asyncio.create_task(self._repeat(self._close_revoked, REVOCATION_SECONDS), name="watch-revocations"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, act: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await act()
            except (OperationalError, InterfaceError) as error:
                logger.warning("watching failed, trying again", extra={"error": type(error).__name__})
            except Exception:
                # The edge of a task: without this one bad socket would stop the clock for all.
                logger.exception("watching failed")

    async def _tick(self) -> None:
        now, wall = time.monotonic(), timezone.now()
        for session in self._roster:
            await check_session(session, now, wall)

    async def _poll(self) -> None:
        """Wake who is still behind what the last look found.

        What this look finds may have been committed here a moment ago and is about to be told: waking the sockets for
        it would send each of them to the database for what they get from memory.
        """
        known, self._tops = self._tops, {}
        self._hub.hint(known)
        if self._hub.followed:
            self._tops = await run_in_database(list_recent_tops, self._since(POLL_SECONDS))

    async def _tell_places(self) -> None:
        """Tell phones whose turns wait for the model at which place, whenever it changed."""
        if not self._hub.followed:
            return
        places = {place.turn_id: place for place in await run_in_database(list_places)}
        for place in places.values():
            if place.conversation_id in self._hub.followed and self._places.get(place.turn_id) != place.position:
                signal = TurnQueued(turn=place.turn_id, position=place.position, eta_ms=place.wait_ms)
                await self._hub.tell(
                    place.conversation_id, encode_signal(signal, conversation_id=place.conversation_id)
                )
        self._places = {turn_id: place.position for turn_id, place in places.items()}

    async def _close_revoked(self) -> None:
        if len(self._roster):
            revoked = await run_in_database(list_revoked_since, self._since(REVOCATION_SECONDS))
            await self._roster.close_revoked(frozenset(revoked))

    def _since(self, seconds: float) -> datetime:
        return timezone.now() - timedelta(seconds=seconds) - OVERLAP
