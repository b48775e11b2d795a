"""Rates of one socket: pure arithmetic over a clock that the caller reads."""

from dataclasses import dataclass, field

# How long a phone stays away after it was closed for a flood.
FLOOD_RETRY_MS = 30_000


@dataclass(slots=True)
class TokenBucket:
    """Allows `capacity` acts at once and `capacity` per `window_seconds` in the long run."""

    capacity: int
    window_seconds: float
    level: float = field(init=False)
    updated: float = 0.0

    def __post_init__(self) -> None:
        self.level = float(self.capacity)

    def take(self, now: float) -> float:
        """Take one; return 0.0 when allowed, else the seconds until one is free.

        now  seconds of a monotonic clock
        """
        refill = (now - self.updated) * self.capacity / self.window_seconds
        self.level = min(float(self.capacity), self.level + refill)
        self.updated = now
        if self.level >= 1.0:
            self.level -= 1.0
            return 0.0
        return (1.0 - self.level) * self.window_seconds / self.capacity


@dataclass(slots=True)
class Strikes:
    """Counts offences; true from `add` means that the limit within the window is reached."""

    limit: int
    window_seconds: float
    moments: list[float] = field(default_factory=list)

    def add(self, now: float) -> bool:
        self.moments = [moment for moment in self.moments if now - moment < self.window_seconds]
        self.moments.append(now)
        return len(self.moments) >= self.limit
