"""Server-sent events out of raw bytes: incremental, pure, used by the client only.

Lines are split before UTF-8 is decoded: no byte of a multi-byte character equals LF or CR, so a character cut between
two packets needs no care of its own. Names, ids and retry times of events are skipped; GigaChat v1 sends none.
"""

from chat.gigachat.errors import EventTooLarge

MAX_EVENT_BYTES = 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventDecoder:
    """Turns packets, cut anywhere, into the data of the events they complete.

    After an event over `max_event_bytes` the decoder stays failed: events completed before it are still returned, then
    every call raises EventTooLarge.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._pending = bytearray()
        self._is_at_start = True
        self._skips_line_feed = False
        self._is_failed = False
        self._is_between_events = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of each event that `chunk` completes, lines of one event joined by LF.

        Raises: EventTooLarge
        """
        if (
            self._is_between_events
            and chunk.startswith(b"data: ")
            and chunk.find(b"\n") == len(chunk) - 2
            and chunk.endswith(b"\n")
            and b"\r" not in chunk
            and len(chunk) <= self._max_event_bytes
        ):
            # Almost every packet of a real stream: exactly one event.
            return [chunk[6:-2]]
        events = self._feed_any(chunk)
        self._is_between_events = not (self._pending or self._skips_line_feed or self._is_failed or self._is_at_start)
        return events

    def _feed_any(self, chunk: bytes) -> list[bytes]:
        if self._is_failed:
            raise EventTooLarge
        if self._is_at_start:
            chunk = self._skip_byte_order_mark(chunk)
        if self._skips_line_feed or b"\r" in chunk:
            chunk = self._unify_line_ends(chunk)
        pending = self._pending
        if not pending:
            end = chunk.rfind(b"\n\n")
            if end < 0:
                pending += chunk
                return self._take(b"")
            if end + 2 < len(chunk):
                pending += chunk[end + 2 :]
            return self._take(chunk[:end])
        # Only the new bytes, and the one before them, are searched: an event cut a thousand times stays linear.
        search_from = len(pending) - 1
        pending += chunk
        end = pending.rfind(b"\n\n", search_from)
        if end < 0:
            return self._take(b"")
        complete = bytes(pending[:end])
        del pending[: end + 2]
        return self._take(complete)

    def finish(self) -> list[bytes]:
        """Return the data of the events that the end of the stream completes; a last blank line is not required.

        Raises: EventTooLarge
        """
        if self._is_failed:
            raise EventTooLarge
        rest = bytes(self._pending)
        self._pending.clear()
        return self._take(rest)

    def _skip_byte_order_mark(self, chunk: bytes) -> bytes:
        start = bytes(self._pending) + chunk
        self._pending.clear()
        if len(start) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(start):
            self._pending += start
            return b""
        self._is_at_start = False
        return start.removeprefix(BYTE_ORDER_MARK)

    def _unify_line_ends(self, chunk: bytes) -> bytes:
        """Write CRLF and CR as LF. A CR that ends a packet ends its line now; its LF may follow in the next one."""
        if self._skips_line_feed and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._skips_line_feed = False
        if chunk.endswith(b"\r"):
            self._skips_line_feed = True
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, complete: bytes) -> list[bytes]:
        """Return the data of the complete events, up to the first that is over the size bound."""
        limit = self._max_event_bytes
        if len(complete) > limit:
            events = complete.split(b"\n\n")
            is_small = [len(event.strip(b"\n")) <= limit for event in events]
            if not all(is_small):
                self._is_failed = True
                complete = b"\n\n".join(events[: is_small.index(False)])
        # An unfinished event may carry one LF before it and one of its two LF after it.
        if len(self._pending) > limit + 2:
            self._is_failed = True
        found = split_events(complete) if complete else []
        if self._is_failed:
            self._pending.clear()
            if not found:
                raise EventTooLarge
        return found


def split_events(block: bytes) -> list[bytes]:
    """Return the data of each event in `block`: events separated by blank lines, LF line ends only."""
    events = []
    for event in block.split(b"\n\n"):
        if event.startswith(b"data: ") and b"\n" not in event:
            events.append(event[6:])
        elif (data := join_data_lines(event)) is not None:
            events.append(data)
    return events


def join_data_lines(event: bytes) -> bytes | None:
    """Return the event's data lines joined by LF; None for an event without data (comments, names, blank lines)."""
    lines = []
    for line in event.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            lines.append(value.removeprefix(b" "))
    return b"\n".join(lines) if lines else None
