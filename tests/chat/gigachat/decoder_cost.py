"""How much CPU the decoder takes for one token, as a multiple of a plain `json.loads` of the same line.

`python -m tests.chat.gigachat.decoder_cost` prints the ratio; a process of its own, for coverage slows one side only.
"""

import json
import sys
import time
from collections.abc import Callable

from chat.gigachat.answers import AnswerReader

EVENT = (
    'data: {"choices":[{"delta":{"content":"ствен"},"index":0}],"created":1768996176,'
    '"model":"GigaChat-2-Max:2.0.30.01","object":"chat.completion"}\n\n'
).encode()
TOKENS = 10_000
ROUNDS = 7


def read_events() -> None:
    reader = AnswerReader()
    for _ in range(TOKENS):
        reader.feed(EVENT)


def load_lines() -> None:
    for _ in range(TOKENS):
        json.loads(EVENT[6:-2])


def count_cpu_seconds(act: Callable[[], None]) -> float:
    """Return the least of several rounds: what disturbs a measurement only ever adds to it."""
    rounds = []
    for _ in range(ROUNDS):
        started_at = time.process_time()
        act()
        rounds.append(time.process_time() - started_at)
    return min(rounds)


if __name__ == "__main__":
    sys.stdout.write(f"{count_cpu_seconds(read_events) / count_cpu_seconds(load_lines):.2f}\n")
