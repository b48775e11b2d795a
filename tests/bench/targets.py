"""What must hold, per server, as ratios or differences within one round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.idle import IdleSample
from tests.bench.tally import Sample

ADDED_P50_MS = 8.0
ADDED_P99_MS = 60.0
SHARE_OF_RELAY = 0.20
IDLE_KIB = 40.0
IDLE_CPU_PERCENT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One target of one server; `values` has one entry per round, `measured` is their median."""

    server: str
    name: str
    values: Sequence[float]
    limit: float
    is_upper_limit: bool
    unit: str

    @property
    def measured(self) -> float:
        return median(self.values)

    @property
    def is_met(self) -> bool:
        return self.measured <= self.limit if self.is_upper_limit else self.measured >= self.limit


def judge_streams(
    server: str, samples: Mapping[str, Sequence[Sample]], relay: Mapping[str, Sequence[Sample]]
) -> list[Verdict]:
    """Compare each round of a server with the relay's of the same round.

    samples, relay  by mode
    """
    paced = list(zip(samples["paced"], relay["paced"], strict=True))
    flood = list(zip(samples["flood"], relay["flood"], strict=True))
    return [
        Verdict(
            server=server,
            name="added delay p50",
            values=[ours.delay_p50 - bare.delay_p50 for ours, bare in paced],
            limit=ADDED_P50_MS,
            is_upper_limit=True,
            unit="ms",
        ),
        Verdict(
            server=server,
            name="added delay p99",
            values=[ours.delay_p99 - bare.delay_p99 for ours, bare in paced],
            limit=ADDED_P99_MS,
            is_upper_limit=True,
            unit="ms",
        ),
        Verdict(
            server=server,
            name="tokens per core",
            values=[ours.tokens_per_cpu_second / bare.tokens_per_cpu_second for ours, bare in flood],
            limit=SHARE_OF_RELAY,
            is_upper_limit=False,
            unit="x relay",
        ),
    ]


def judge_idle(server: str, sample: IdleSample) -> list[Verdict]:
    return [
        Verdict(
            server=server,
            name="memory per idle socket",
            values=[sample.kib_per_socket],
            limit=IDLE_KIB,
            is_upper_limit=True,
            unit="KiB",
        ),
        Verdict(
            server=server,
            name=f"CPU of {sample.sockets} idle sockets",
            values=[sample.cpu_percent],
            limit=IDLE_CPU_PERCENT,
            is_upper_limit=True,
            unit="% core",
        ),
    ]
