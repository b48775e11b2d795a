"""One answer, from packets to parts: pure, the state between `sse` and `mapping`; used by the client only."""

from chat.gigachat.errors import AnswerMalformed, GigaChatError, StreamBroken
from chat.gigachat.mapping import append_parts
from chat.gigachat.sse import EventDecoder
from chat.gigachat.types import Finished, FinishReason, StreamPart

DONE = b"[DONE]"


class AnswerReader:
    """Yields 0..n TextDelta, then exactly one Finished; whatever follows it is ignored.

    A fault is raised only after the parts before it were returned: what is delivered does not depend on packet borders.
    """

    def __init__(self) -> None:
        self._decoder = EventDecoder()
        self._fault: GigaChatError | None = None
        self.is_finished = False

    def feed(self, chunk: bytes) -> tuple[StreamPart, ...]:
        """Return the parts that `chunk` completes.

        Raises: AnswerBroken and its children; the reader is then used up
        """
        if self.is_finished:
            return ()
        if self._fault is not None:
            raise self._fault
        parts = self._collect(self._decoder.feed(chunk))
        if self._fault is not None and not parts:
            raise self._fault
        return parts

    def finish(self) -> tuple[StreamPart, ...]:
        """Return the parts that the end of the stream completes; call it until it returns nothing.

        Raises: StreamBroken when there was neither a finish reason nor `[DONE]`, and what `feed` raises
        """
        if self.is_finished:
            return ()
        if self._fault is not None:
            raise self._fault
        parts = self._collect(self._decoder.finish())
        # A last line that is no JSON was cut: the stream broke, whatever the line looks like.
        if not self.is_finished and (self._fault is None or isinstance(self._fault, AnswerMalformed)):
            self._fault = StreamBroken()
        if self._fault is not None and not parts:
            raise self._fault
        return parts

    def _collect(self, events: list[bytes]) -> tuple[StreamPart, ...]:
        parts: list[StreamPart] = []
        for data in events:
            if data == DONE:
                # The provider says it is complete, but not why nor by which model.
                parts.append(Finished(reason=FinishReason.STOP, usage=None, model=""))
            else:
                self._fault = append_parts(parts, data)
            self.is_finished = bool(parts) and type(parts[-1]) is Finished
            if self.is_finished or self._fault is not None:
                break
        return tuple(parts)
