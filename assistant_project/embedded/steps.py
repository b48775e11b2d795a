"""One line per step on the terminal, with the time it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Step:
    """A running step; `detail` is shown when it is done."""

    def __init__(self) -> None:
        self.detail = ""


@contextmanager
def show_step(name: str) -> Iterator[Step]:
    """Print `name`, the step's detail and its seconds once the block has ended well."""
    started = time.monotonic()
    step = Step()
    yield step
    print_line(f" ok  {name:<12} {step.detail:<58} {time.monotonic() - started:5.1f} s")


def print_line(text: str = "") -> None:
    """Print; a terminal that is gone must not keep the rest from being stopped."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
