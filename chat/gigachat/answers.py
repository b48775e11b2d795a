"""One answer, from packets to parts: pure, the state between `sse` and `mapping`; used by the client only."""

from collections import deque
from dataclasses import replace

from chat.gigachat.errors import AnswerMalformed, CallLeaked, CallMalformed, GigaChatError, StreamBroken
from chat.gigachat.mapping import append_parts
from chat.gigachat.sse import EventDecoder
from chat.gigachat.types import Completion, Finished, FinishReason, FunctionCall, StreamPart, TextDelta

DONE = b"[DONE]"
# How a call looks when the provider fails to parse its own model's output; showing it to a customer would be wrong.
LEAKED_CALL_MARK = "function callrecipient{"


class AnswerReader:
    """Yields 0..n TextDelta, a FunctionCall if that is the reason of the end, then exactly one Finished.

    Whatever follows is ignored. A fault is raised only after the parts before it were returned: what is delivered does
    not depend on packet borders. A call is held back until the end shows that it is complete and meant.
    """

    def __init__(self) -> None:
        self._decoder = EventDecoder()
        self._fault: GigaChatError | None = None
        self._call: FunctionCall | None = None
        # The last texts, none of them empty: together at least as long as the mark of a leaked call.
        self._recent: deque[str] = deque(maxlen=len(LEAKED_CALL_MARK))
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

    def read_whole(self, body: bytes) -> tuple[StreamPart, ...]:
        """Return the parts of an answer that was not streamed. Raises: AnswerBroken and its children"""
        parts = self._collect([body])
        if self._fault is not None or not self.is_finished:
            raise self._fault or AnswerMalformed()
        return parts

    def _collect(self, events: list[bytes]) -> tuple[StreamPart, ...]:
        parts: list[StreamPart] = []
        for data in events:
            known = len(parts)
            if data == DONE:
                # The provider says it is complete, but not why nor by which model.
                parts.append(Finished(reason=FinishReason.STOP, usage=None, model=""))
                fault = None
            else:
                fault = append_parts(parts, data)
            if len(parts) > known:
                fault = self._settle(parts, known) or fault
            self._fault = fault
            if self.is_finished or fault is not None:
                break
        return tuple(parts)

    def _settle(self, parts: list[StreamPart], known: int) -> GigaChatError | None:
        """Put what one event added into the order we promise; return what is wrong with it."""
        added = parts[known:]
        del parts[known:]
        for part in added:
            if isinstance(part, TextDelta):
                if "{" in part.text and LEAKED_CALL_MARK in "".join(self._recent) + part.text:
                    return CallLeaked()
                self._recent.append(part.text)
                parts.append(part)
            elif isinstance(part, FunctionCall):
                if self._call is not None and self._call != part:
                    return CallMalformed()
                self._call = part
            else:
                return self._end(parts, known, part)
        return None

    def _end(self, parts: list[StreamPart], known: int, finished: Finished) -> GigaChatError | None:
        if self._call is not None and finished.reason is FinishReason.STOP:
            finished = replace(finished, reason=FinishReason.FUNCTION_CALL)
        if finished.reason is FinishReason.FUNCTION_CALL:
            if self._call is None:
                return CallMalformed()
            parts.append(self._call)
        if finished.reason is FinishReason.BLACKLIST and self._recent:
            # The canned refusal is one piece, in the last event or just before it.
            finished = replace(finished, replacement=self._recent[-1])
            del parts[known:]
        parts.append(finished)
        self.is_finished = True
        return None


def read_completion(body: bytes, *, request_id: str) -> Completion:
    """Return an answer that was not streamed. Raises: AnswerBroken and its children"""
    parts = AnswerReader().read_whole(body)
    finished = next(part for part in parts if isinstance(part, Finished))
    text = "".join(part.text for part in parts if isinstance(part, TextDelta))
    return Completion(
        text=finished.replacement or text,
        function_call=next((part for part in parts if isinstance(part, FunctionCall)), None),
        reason=finished.reason,
        usage=finished.usage,
        model=finished.model,
        request_id=request_id,
    )
