"""The engine of one process: one task per run, plus those that claim, commit, renew leases and recover.

Started inside the ASGI process (embedded) or by `manage.py run_engine`; any number of engines share one database.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.conf import settings

from chat.database import run_in_database
from chat.engine.committer import DATABASE_FAULTS, RETRY_SECONDS, Committer
from chat.engine.loop import Workbench, run_turn
from chat.engine.persistence import persist
from chat.engine.upstream import ShortCalls, Upstream
from chat.gigachat.catalogue import check_model
from chat.protocol.events import EventType
from chat.services.claims import ClaimedRun, claim_runs, release_runs, renew_leases
from chat.services.confirmations import tend_questions
from chat.services.recovery import expire_waiting_turns, recover_lost_runs
from chat.services.slots import prepare_slots, release_slots
from chat.stream import Appended, add_listener, remove_listener

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# A lost wake-up costs at most this much before a queued turn is seen.
CLAIM_POLL_SECONDS = 0.25
RECOVERY_SECONDS = 5.0
MODEL_CHECK_SECONDS = 300.0
# A question ends at most this much after its time, and a payment whose taker died is asked about as soon.
QUESTION_SECONDS = 1.0
# After these a turn may be waiting in the queue: a new one, or one that the customer's decision put back.
WORK_EVENTS = frozenset({EventType.TURN_ACCEPTED, EventType.FUNCTION_COMPLETED})
# The share of a lease after which an engine that could not renew it gives up.
LEASE_SAFETY = 0.6
# Claims are transactions one after the other: few at a time, so that the first answer does not wait for the last claim.
CLAIM_BATCH = 8


def build_engine_name() -> str:
    return f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(3)}"


class Engine:
    """Answers queued turns until stopped. Create, `start` and `stop` it on one event loop."""

    def __init__(self, upstream: Upstream, short_calls: ShortCalls, *, max_runs: int) -> None:
        self.name = build_engine_name()
        self._upstream = upstream
        self._max_runs = max_runs
        self._committer = Committer()
        self._bench = Workbench(engine=self.name, upstream=upstream, short_calls=short_calls, committer=self._committer)
        self._runs: dict[ClaimedRun, asyncio.Task[bool]] = {}
        self._renewed_at = 0.0
        self._work = asyncio.Event()
        self._seeking: list[asyncio.Task[None]] = []
        self._renewing: asyncio.Task[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def running(self) -> int:
        """How many turns are being answered here."""
        return len(self._runs)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        add_listener(self.notice)
        self._renewed_at = self._loop.time()
        self._committing = asyncio.create_task(self._committer.run(), name="engine-committer")
        self._renewing = asyncio.create_task(
            repeat(self._renew_or_let_go, settings.ENGINE_LEASE_SECONDS / 3), name="engine-leases"
        )
        self._seeking = [
            asyncio.create_task(self._prepare_and_claim(), name="engine-claims"),
            asyncio.create_task(repeat(self._recover, RECOVERY_SECONDS), name="engine-recovery"),
            asyncio.create_task(repeat(self._tend_questions, QUESTION_SECONDS), name="engine-questions"),
            asyncio.create_task(repeat(self._check_model, MODEL_CHECK_SECONDS), name="engine-model"),
        ]
        logger.info("engine started", extra={"engine": self.name})

    async def stop(self, *, grace_seconds: float) -> None:
        """Claim nothing more, let running answers end within `grace_seconds`, then hand the rest to other engines."""
        remove_listener(self.notice)
        await cancel_all(self._seeking)
        if self._runs:
            await asyncio.wait(self._runs.values(), timeout=grace_seconds)
        abandoned = list(self._runs)
        await cancel_all([*self._runs.values(), *filter(None, [self._renewing, self._committing])])
        if self._chores:
            await asyncio.wait(self._chores)
        if abandoned:
            with suppress(*DATABASE_FAULTS):
                await run_in_database(release_runs, self.name, abandoned)
        await self._committer.aclose()
        await self._upstream.aclose()
        logger.info("engine stopped", extra={"engine": self.name, "abandoned": len(abandoned)})

    def notice(self, appended: Sequence[Appended]) -> None:
        """Look at what was committed, on any thread: new turns are work, cancelled ones must stop here."""
        kinds = {event.type for item in appended for event in item.events}
        loop = self._loop
        if loop is None or loop.is_closed() or kinds == {EventType.TEXT_DELTA}:
            return
        if not WORK_EVENTS.isdisjoint(kinds):
            loop.call_soon_threadsafe(self._work.set)
        if EventType.TURN_CANCELLED in kinds:
            loop.call_soon_threadsafe(self._check_leases_soon)

    def hint(self, conversation_ids: Collection[UUID]) -> None:
        """Another process wrote to these conversations: there may be work, or a turn running here was cancelled."""
        self._work.set()
        if any(run.conversation_id in conversation_ids for run in self._runs):
            self._check_leases_soon()

    def _check_leases_soon(self) -> None:
        _task = self._keep(self._renew_quietly())

    async def _prepare_and_claim(self) -> None:
        await persist(prepare_slots)
        while True:
            # Not `wait_for`: until Python 3.12 it swallows a cancellation that meets the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(CLAIM_POLL_SECONDS):
                    await self._work.wait()
            self._work.clear()
            await self._claim_quietly()

    async def _claim_quietly(self) -> None:
        capacity = min(CLAIM_BATCH, self._max_runs - len(self._runs))
        if capacity <= 0:
            return
        try:
            claimed = await self._run_to_end(claim_runs, self.name, capacity=capacity)
        except DATABASE_FAULTS as error:
            logger.warning("claiming failed", extra={"error": type(error).__name__})
            await asyncio.sleep(RETRY_SECONDS)
            return
        for run in claimed:
            self._begin(run)
        if len(claimed) == capacity:
            self._work.set()

    def _begin(self, claimed: ClaimedRun) -> None:
        task = asyncio.create_task(run_turn(claimed, self._bench), name=f"run-{claimed.run_id}")
        self._runs[claimed] = task
        task.add_done_callback(lambda ended: self._end(claimed, ended))

    def _end(self, claimed: ClaimedRun, task: asyncio.Task[bool]) -> None:
        self._runs.pop(claimed, None)
        if task.cancelled() or not task.result():
            # Ended by somebody else: the connection is closed only now, so only now its slot is free.
            _task = self._keep(self._give_back(claimed))
        else:
            self._work.set()

    async def _give_back(self, claimed: ClaimedRun) -> None:
        # When the database is away, the slot comes back by its lease.
        with suppress(*DATABASE_FAULTS):
            await run_in_database(release_slots, [claimed.run_id])
        self._work.set()

    def _keep(self, work: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
        """Run a short piece of housekeeping; `stop` waits for it."""
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    async def _run_to_end(self, act: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a database act whose caller may be cancelled: its thread goes on all the same, so `stop` waits for it."""
        task = self._keep(run_in_database(act, *args, **kwargs))
        # What an abandoned act raises is nobody's business any more.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return await asyncio.shield(task)

    async def _renew_or_let_go(self) -> None:
        """Renew the leases; when that fails for nearly a lease, close every stream before others may open theirs."""
        try:
            await self._renew()
        except DATABASE_FAULTS:
            silence = asyncio.get_running_loop().time() - self._renewed_at
            if silence > settings.ENGINE_LEASE_SECONDS * LEASE_SAFETY:
                for task in self._runs.values():
                    task.cancel()
            raise

    async def _renew(self) -> None:
        held = list(self._runs)
        asked_at = asyncio.get_running_loop().time()
        owned = await run_in_database(renew_leases, self.name, held)
        self._renewed_at = asked_at
        for run in held:
            task = self._runs.get(run)
            if run.turn_id not in owned and task is not None:
                task.cancel()

    async def _renew_quietly(self) -> None:
        with suppress(*DATABASE_FAULTS):
            await self._renew()

    async def _check_model(self) -> None:
        """Learn whether the account has the configured models; readiness tells it, and the log once one is missed."""
        for model in {settings.GIGACHAT_MODEL, settings.GIGACHAT_VISION_MODEL}:
            report = await asyncio.to_thread(check_model, model, self._bench.short_calls.list_models)
            if report.is_listed is False:
                logger.error("the configured model is not one of this account", extra={"model": report.model})

    async def _recover(self) -> None:
        lost = await self._run_to_end(recover_lost_runs, self.name)
        expired = await self._run_to_end(expire_waiting_turns, self.name)
        if expired:
            logger.warning("turns waited too long for a stream", extra={"turns": expired})
        if lost:
            logger.warning("turns of a lost engine were taken over", extra={"turns": lost})
            self._work.set()

    async def _tend_questions(self) -> None:
        """Let time do its part: questions expire, payments come to an end, delayed ones are asked about again."""
        counts = await self._run_to_end(tend_questions, self.name)
        if any(counts.values()):
            logger.info("questions were tended", extra=counts)


async def repeat(act: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Run `act` now and every `seconds`, through outages of the database."""
    while True:
        try:
            await act()
        except DATABASE_FAULTS as error:
            logger.warning("periodic work failed", extra={"error": type(error).__name__})
        await asyncio.sleep(seconds)


async def cancel_all(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel the tasks and wait until each has cleaned up."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
