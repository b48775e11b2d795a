"""The command: see docs/performance.md."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import uvloop

from assistant_project.embedded.errors import StartRefused
from tests.bench.idle import IdleSample, measure_idle
from tests.bench.machine import count_possible_sockets, describe_load, describe_machine, pinned_to
from tests.bench.report import COSTS, DELAYS, say, show_idle, show_streams, show_verdicts
from tests.bench.sockets import SocketClosedError
from tests.bench.stand import Endpoint, Stand
from tests.bench.streaming import FLOOD, PACED, measure_streams
from tests.bench.tally import Sample
from tests.bench.targets import Verdict, judge_idle, judge_streams

SERVERS = ("daphne", "uvicorn")
INTERRUPTED = 130
# On a machine so busy that this is not enough, nothing measured would mean anything.
LONGEST_SECONDS = 1200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, and for how long each time."""

    rounds: int
    seconds: float
    sockets: int
    idle_seconds: float
    servers: Sequence[str]


# By mode, then by server (the relay among them), one sample per round.
Samples = Mapping[str, Mapping[str, list[Sample]]]


def read_plan(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure this server beside a bare relay."
    )
    parser.add_argument("--quick", action="store_true", help="2 short rounds, 500 sockets, 15 s: a look, not a result")
    parser.add_argument("--rounds", type=int, help="rounds of which medians are taken (5)")
    parser.add_argument("--seconds", type=float, help="length of each measurement of streams (3)")
    parser.add_argument("--sockets", type=int, help="idle sockets to each server; 0 leaves this part out (2000)")
    parser.add_argument("--idle-seconds", type=float, help="how long they are watched (60)")
    parser.add_argument("--server", action="append", choices=SERVERS, dest="servers", help="only this one (both)")
    given = parser.parse_args(arguments)
    rounds, seconds, sockets, idle_seconds = (2, 1.5, 500, 15.0) if given.quick else (5, 3.0, 2000, 60.0)
    return Plan(
        rounds=rounds if given.rounds is None else given.rounds,
        seconds=given.seconds or seconds,
        sockets=sockets if given.sockets is None else given.sockets,
        idle_seconds=given.idle_seconds or idle_seconds,
        servers=given.servers or SERVERS,
    )


async def run_rounds(stand: Stand, plan: Plan) -> Samples:
    """Measure every server in both modes, round after round; who comes first changes, so that noise is shared."""
    endpoints = [stand.relay, *(stand.start_server(kind, database=f"stream_{kind}") for kind in plan.servers)]
    samples: dict[str, dict[str, list[Sample]]] = {
        mode.name: {endpoint.name: [] for endpoint in endpoints} for mode in (PACED, FLOOD)
    }
    for number in range(plan.rounds):
        say(f"round {number + 1} of {plan.rounds}")
        turn = number % len(endpoints)
        for mode in (PACED, FLOOD):
            for endpoint in (*endpoints[turn:], *endpoints[:turn]):
                sample = await measure_streams(stand, endpoint, mode, seconds=plan.seconds)
                samples[mode.name][endpoint.name].append(sample)
    for endpoint in endpoints[1:]:
        endpoint.child.stop()
    return samples


async def run_idle(stand: Stand, plan: Plan) -> dict[str, IdleSample]:
    """Measure fresh processes: one that has streamed would fill its free memory with sockets first."""
    endpoints: list[Endpoint] = [stand.start_server(kind, database=f"idle_{kind}") for kind in plan.servers]
    found = await measure_idle(stand, endpoints, sockets=plan.sockets, seconds=plan.idle_seconds)
    return {endpoint.name: sample for endpoint, sample in zip(endpoints, found, strict=True)}


async def measure(stand: Stand, plan: Plan) -> list[Verdict]:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, cancel_all)
    async with asyncio.timeout(LONGEST_SECONDS):
        return await measure_all(stand, plan)


async def measure_all(stand: Stand, plan: Plan) -> list[Verdict]:
    verdicts: list[Verdict] = []
    if plan.rounds:
        samples = await run_rounds(stand, plan)
        show_streams(f"paced: {PACED.streams} streams of 50 tokens/s", samples[PACED.name], (*DELAYS, *COSTS))
        show_streams(f"flood: {FLOOD.streams} streams as fast as they go", samples[FLOOD.name], COSTS)
        for kind in plan.servers:
            ours, relay = ({name: rounds[who] for name, rounds in samples.items()} for who in (kind, "relay"))
            verdicts += judge_streams(kind, ours, relay)
    if plan.sockets:
        say(f"\nidle: {plan.sockets} sockets to each server, each following one conversation")
        idle = await run_idle(stand, plan)
        show_idle(idle)
        for kind, sample in idle.items():
            verdicts += judge_idle(kind, sample)
    return verdicts


def cancel_all() -> None:
    for task in asyncio.all_tasks():
        task.cancel()


def run(plan: Plan) -> int:
    """Return the exit code: 0 when every target is met."""
    started = time.monotonic()
    say(describe_machine())
    say(describe_load())
    possible = count_possible_sockets(plan.sockets, servers=len(plan.servers))
    if possible < plan.sockets:
        say(f"only {possible} idle sockets: the limit of open files (ulimit -Hn) allows no more")
        plan = Plan(**{name: getattr(plan, name) for name in Plan.__slots__} | {"sockets": possible})
    stand = Stand(people=max(plan.sockets, PACED.streams))
    try:
        say(stand.describe_database())
        say(describe_cores(stand))
        with pinned_to(stand.load_core):
            verdicts = uvloop.run(measure(stand, plan))
    finally:
        stand.close()
    show_verdicts(verdicts)
    say(f"\n{time.monotonic() - started:.0f} s; medians of {plan.rounds} rounds of {plan.seconds:g} s")
    return 0 if all(verdict.is_met for verdict in verdicts) else 1


def describe_cores(stand: Stand) -> str:
    if stand.server_core is None:
        return "processes are not pinned to cores on this machine: expect noise"
    return f"server under test on core {stand.server_core}; load, upstream and PostgreSQL on core {stand.load_core}"


def main() -> int:
    try:
        return run(read_plan(sys.argv[1:]))
    except (StartRefused, SocketClosedError, TimeoutError) as error:
        sys.stderr.write(f"error: {type(error).__name__} {error}\n")
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
