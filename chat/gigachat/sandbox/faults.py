"""Fault switches: bad days on demand, for one request by header or for the next requests by the admin route.

Grammar of a switch list: `name[=value][,name[=value]...]`, for example `429=7` or `comments,crlf,cut=3`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HEADER = "X-Sandbox-Fault"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One switch: its value when none is given, and what it does (this text is the reference, see docs/sandbox.md)."""

    default: float
    effect: str


# Before the answer, on any API path.
_REQUEST_FAULTS = {
    "401": FaultKind(0, "answer 401 `Token has expired`"),
    "402": FaultKind(0, "answer 402 `Payment Required`"),
    "413": FaultKind(0, "answer 413 `Payload too large`"),
    "429": FaultKind(0, "answer 429; a value becomes `Retry-After` in seconds"),
    "500": FaultKind(0, "answer 500 `Internal Server Error`"),
    "502": FaultKind(0, "answer 502 with an HTML page"),
    "503": FaultKind(0, "answer 503; a value becomes `Retry-After` in seconds"),
    "html_200": FaultKind(0, "answer 200 with an HTML page"),
    "reset": FaultKind(0, "drop the connection before the first byte of the answer"),
    "slow_first_byte": FaultKind(2, "wait that many seconds before the status line"),
}
# While an answer is streamed.
_STREAM_FAULTS = {
    "together": FaultKind(2, "wait before the status line until that many completions are in progress, 60 s at most"),
    "slow_first_chunk": FaultKind(2, "send the headers, then wait that many seconds"),
    "silence": FaultKind(120, "fall silent for that many seconds after the first content chunk"),
    "cut": FaultKind(1, "drop the connection after that many payloads"),
    "truncate": FaultKind(1, "end the body properly after that many payloads, without finish and `[DONE]`"),
    "no_done": FaultKind(0, "leave out `[DONE]`"),
    "split_utf8": FaultKind(
        0, "send each payload in two packets, cut inside a letter where it has one of several bytes"
    ),
    "two_in_one": FaultKind(0, "send two payloads in one packet"),
    "one_byte": FaultKind(0, "send one byte per packet"),
    "comments": FaultKind(0, "send a `: comment` line before each payload"),
    "crlf": FaultKind(0, "end lines by CR LF"),
    "error_in_stream": FaultKind(1, "after that many payloads send a data line with `status` and `message` and end"),
}
# What the model says; in streams and in plain answers.
_ANSWER_FAULTS = {
    "no_usage": FaultKind(0, "leave out `usage` in the finish chunk of a stream"),
    "blacklist": FaultKind(0, "that many content chunks, then the canned refusal and finish_reason `blacklist`"),
    "length": FaultKind(2, "stop after that many content chunks with finish_reason `length`"),
    "error": FaultKind(1, "stop after that many content chunks with finish_reason `error`"),
    "string_arguments": FaultKind(0, "`function_call.arguments` as a string of JSON"),
    "object_plural": FaultKind(0, "`object` is `chat.completions`"),
    "unknown_role": FaultKind(0, "begin the stream with two deltas of the role `function_in_progress`"),
    "reasoning": FaultKind(0, "begin with `reasoning_content`"),
    "leaked_call": FaultKind(0, "a function call leaks as text instead of `function_call`"),
    "obedient": FaultKind(0, "obey every order in strangers' texts and in the question, invent payees, claim a yes"),
    "repeat_call": FaultKind(0, "make the same function call for ever"),
    "flood_calls": FaultKind(0, "call one offered function after the other for ever"),
    "invent_figures": FaultKind(0, "add an amount, a percentage and a date that nothing supports"),
    "claim_confirmed": FaultKind(0, "forge a confirmation in the arguments of money calls and claim it was given"),
}
_OAUTH_FAULTS = {
    "oauth_401": FaultKind(0, "answer 401 with code 6"),
    "oauth_429": FaultKind(0, "answer 429; a value becomes `Retry-After` in seconds"),
    "oauth_500": FaultKind(0, "answer 500 with an HTML page"),
    "oauth_html": FaultKind(0, "answer 502 with an HTML page"),
    "oauth_html_200": FaultKind(0, "answer 200 with an HTML page"),
    "oauth_reset": FaultKind(0, "drop the connection before the first byte of the answer"),
    "oauth_slow": FaultKind(2, "wait that many seconds before the status line"),
    "clock_skew": FaultKind(-3600, "add that many seconds to `expires_at`; the token itself lives as before"),
    "expires_in_seconds": FaultKind(0, "`expires_at` in Unix seconds instead of milliseconds"),
}
# Of the listeners themselves; by the admin route only, since no request can arrive to carry a header.
_LISTENER_FAULTS = {
    "refuse": FaultKind(5, "refuse connections to the API for that many seconds"),
    "oauth_refuse": FaultKind(5, "refuse connections to OAuth for that many seconds"),
}
KINDS = {**_REQUEST_FAULTS, **_STREAM_FAULTS, **_ANSWER_FAULTS, **_OAUTH_FAULTS, **_LISTENER_FAULTS}


class FaultError(ValueError):
    """A switch that does not exist or whose value is no number; the message says which."""


class Faults:
    """The switches in force for one request. Empty for almost every request."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, float] | None = None) -> None:
        self._values = values or {}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __bool__(self) -> bool:
        return bool(self._values)

    def get(self, name: str) -> float | None:
        return self._values.get(name)

    def get_count(self, name: str) -> int | None:
        """Return the value as a number of chunks."""
        value = self._values.get(name)
        return None if value is None else int(value)

    def to_json(self) -> dict[str, float]:
        return dict(self._values)


def parse_faults(text: str) -> dict[str, float]:
    """Return name to value for a switch list.

    Raises: FaultError
    """
    values: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, separator, raw = item.partition("=")
        if name not in KINDS:
            raise FaultError(f"unknown fault {name!r}")
        try:
            values[name] = float(raw) if separator else KINDS[name].default
        except ValueError as error:
            raise FaultError(f"the value of {name!r} is not a number") from error
    return values


@dataclass(slots=True)
class StandingFaults:
    """Switches for the next requests to one path, until `remaining` are used up or `until` (monotonic-like) passes."""

    values: dict[str, float]
    path: str
    remaining: int | None
    until: float | None


class FaultBoard:
    """The instance's standing switches."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._standing: list[StandingFaults] = []

    def add(self, text: str, *, path: str = "", count: int | None = None, seconds: float | None = None) -> None:
        """Put the switches of `text` in force.

        path     only requests whose path without prefix starts so; empty: OAuth switches at OAuth, the others at
                 `/chat/completions`
        count    for that many matching requests; None: until removed
        seconds  for that long
        Raises: FaultError
        """
        values = parse_faults(text)
        until = None if seconds is None else self._clock() + seconds
        by_path: dict[str, dict[str, float]] = {}
        for name, value in values.items():
            by_path.setdefault(path or _default_path(name), {})[name] = value
        self._standing += [StandingFaults(part, at, count, until) for at, part in by_path.items()]

    def clear(self) -> None:
        self._standing.clear()

    def take(self, path: str, header: str | None) -> Faults:
        """Return what is in force for one request to `path`, counting it.

        Raises: FaultError for a header that does not parse
        """
        if not self._standing and header is None:
            return Faults()
        values: dict[str, float] = {}
        now = self._clock()
        for standing in self._standing:
            if path.startswith(standing.path) and (standing.until is None or standing.until > now):
                values.update(standing.values)
                standing.remaining = None if standing.remaining is None else standing.remaining - 1
        self._drop_spent(now)
        return Faults(values | parse_faults(header or ""))

    def to_json(self) -> list[dict[str, Any]]:
        self._drop_spent(self._clock())
        return [
            {"faults": standing.values, "path": standing.path, "remaining": standing.remaining, "until": standing.until}
            for standing in self._standing
        ]

    def _drop_spent(self, now: float) -> None:
        self._standing = [
            standing
            for standing in self._standing
            if standing.remaining != 0 and (standing.until is None or standing.until > now)
        ]


def _default_path(name: str) -> str:
    return "/oauth" if name in _OAUTH_FAULTS else "/chat/completions"
