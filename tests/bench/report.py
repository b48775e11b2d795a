"""The tables. Every figure is a median of the rounds; lowest and highest stand beside what is judged."""

import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from tests.bench.idle import IdleSample
from tests.bench.tally import Sample
from tests.bench.targets import Verdict

LABEL_WIDTH = 38
COLUMN_WIDTH = 12

Row = tuple[str, Callable[[Sample], float], str]

DELAYS: Sequence[Row] = (
    ("delay p50, ms", lambda sample: sample.delay_p50, ".2f"),
    ("delay p95, ms", lambda sample: sample.delay_p95, ".2f"),
    ("delay p99, ms", lambda sample: sample.delay_p99, ".2f"),
)
COSTS: Sequence[Row] = (
    ("tokens/s received", lambda sample: sample.tokens_per_second, ",.0f"),
    ("tokens per frame", lambda sample: sample.tokens_per_frame, ".1f"),
    ("CPU us per 1000 tokens, server", lambda sample: sample.cpu_us_per_thousand, ",.0f"),
    ("CPU us per 1000 tokens, PostgreSQL", lambda sample: sample.database_cpu_us_per_thousand, ",.0f"),
    ("tokens per CPU second, server", lambda sample: sample.tokens_per_cpu_second, ",.0f"),
    ("  ... with PostgreSQL's CPU", lambda sample: sample.tokens_per_cpu_second_with_database, ",.0f"),
)


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show_streams(title: str, samples: Mapping[str, Sequence[Sample]], rows: Sequence[Row]) -> None:
    """Print one mode: a row per figure, a column per server."""
    say(f"\n{title}")
    say(" " * LABEL_WIDTH + "".join(f"{name:>{COLUMN_WIDTH}}" for name in samples))
    for label, read, form in rows:
        cells = "".join(f"{median(map(read, rounds)):>{COLUMN_WIDTH}{form}}" for rounds in samples.values())
        say(f"  {label:<{LABEL_WIDTH - 2}}{cells}")


def show_idle(samples: Mapping[str, IdleSample]) -> None:
    for name, sample in samples.items():
        say(
            f"  {name:<10}{sample.sockets} sockets, {sample.seconds:.0f} s: {sample.kib_per_socket:.1f} KiB each, "
            f"{sample.cpu_percent:.1f} % of a core (PostgreSQL {sample.database_cpu_percent:.1f} %), "
            f"{sample.pings} pings answered"
        )


def show_verdicts(verdicts: Sequence[Verdict]) -> None:
    say(f"\n{'target':<30}{'server':<10}{'measured':>12}{'lowest':>10}{'highest':>10}   {'limit':<16}")
    for verdict in verdicts:
        sign = "<=" if verdict.is_upper_limit else ">="
        limit = f"{sign} {verdict.limit:g} {verdict.unit}"
        say(
            f"{verdict.name:<30}{verdict.server:<10}{verdict.measured:>12.2f}{min(verdict.values):>10.2f}"
            f"{max(verdict.values):>10.2f}   {limit:<16}{'pass' if verdict.is_met else 'MISSED'}"
        )
