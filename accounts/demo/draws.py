"""Choices that are the same for the same seed, on every machine and version of Python. Pure.

Every part of the demo draws from a stream of its own, named by seed, customer and purpose: adding a customer, or one
more purchase, moves nobody else's.
"""

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

Choice = TypeVar("Choice")


class Draw:
    """One stream of choices; `path` names it."""

    def __init__(self, *path: object) -> None:
        digest = hashlib.sha256("\x1f".join(map(str, path)).encode()).digest()
        # Only getrandbits is used: how `random` makes choices from it has changed between versions.
        self.bits = Random(int.from_bytes(digest, "big"))  # noqa: S311 - it must be predictable

    def draw_number(self, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`, both included."""
        return least + self.bits.getrandbits(64) % (most - least + 1)

    def draw_one(self, rows: Sequence[Choice]) -> Choice:
        return rows[self.draw_number(0, len(rows) - 1)]

    def draw_some(self, rows: Sequence[Choice], count: int) -> list[Choice]:
        """Return `count` different rows, in a drawn order; all of them when there are fewer."""
        left = list(rows)
        return [left.pop(self.draw_number(0, len(left) - 1)) for _ in range(min(count, len(left)))]

    def draw_digits(self, count: int) -> str:
        return f"{self.draw_number(0, 10**count - 1):0{count}}"

    def happens(self, permille: int) -> bool:
        return self.draw_number(1, 1000) <= permille

    def vary(self, minor: int, percent: int) -> int:
        """Return an amount up to `percent` more or less."""
        return minor * (10_000 + 100 * self.draw_number(-percent, percent)) // 10_000
