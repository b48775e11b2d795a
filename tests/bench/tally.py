"""What the load counts while a measurement is open, and the figures made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import quantiles

from tests.bench.marks import MARK, read_delays


@dataclass(slots=True)
class Tally:
    """Tokens and frames that arrived while open; `delays` in milliseconds, one for each stamped token."""

    is_open: bool = False
    tokens: int = 0
    frames: int = 0
    delays: list[float] = field(default_factory=list)

    def take(self, payload: bytes, nanoseconds: int) -> None:
        self.tokens += payload.count(MARK)
        self.frames += 1
        self.delays += read_delays(payload, nanoseconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement of one server. CPU in seconds, delays in milliseconds (zeros when nothing was stamped)."""

    seconds: float
    tokens: int
    frames: int
    cpu_seconds: float
    database_cpu_seconds: float
    delay_p50: float
    delay_p95: float
    delay_p99: float

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds

    @property
    def tokens_per_cpu_second(self) -> float:
        """Tokens per second of one core that does nothing else."""
        return self.tokens / max(self.cpu_seconds, 1e-9)

    @property
    def tokens_per_cpu_second_with_database(self) -> float:
        return self.tokens / max(self.cpu_seconds + self.database_cpu_seconds, 1e-9)

    @property
    def cpu_us_per_thousand(self) -> float:
        return self.cpu_seconds * 1e9 / max(self.tokens, 1)

    @property
    def database_cpu_us_per_thousand(self) -> float:
        return self.database_cpu_seconds * 1e9 / max(self.tokens, 1)

    @property
    def tokens_per_frame(self) -> float:
        return self.tokens / max(self.frames, 1)


def build_sample(tally: Tally, *, seconds: float, cpu_seconds: float, database_cpu_seconds: float) -> Sample:
    p50, p95, p99 = read_percentiles(tally.delays)
    return Sample(
        seconds=seconds,
        tokens=tally.tokens,
        frames=tally.frames,
        cpu_seconds=cpu_seconds,
        database_cpu_seconds=database_cpu_seconds,
        delay_p50=p50,
        delay_p95=p95,
        delay_p99=p99,
    )


def read_percentiles(delays: Sequence[float]) -> tuple[float, float, float]:
    """Return the 50th, 95th and 99th percentile."""
    if len(delays) < 2:
        return 0.0, 0.0, 0.0
    cuts = quantiles(delays, n=100)
    return cuts[49], cuts[94], cuts[98]
