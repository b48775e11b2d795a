"""The whole state of a conversation as `conv.state` frames, for phones without a usable position."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import override

from chat.protocol.bodies import Digest, FileBody, Seq, SizeBytes, WireBody
from chat.protocol.events import ConfirmRequested
from chat.protocol.replies import ActiveTurn, add_active

STATE_TYPE = "conv.state"
# The largest sum of messages in one frame; the envelope and the title fit in what is left of 64 KiB.
PART_BYTES = 60 * 1024
# A piece of this many characters stays under PART_BYTES even if every one of them is escaped (6 bytes).
PIECE_CHARS = 8_000


class StateMessage(WireBody):
    """One message of the state.

    off         present when a long text comes in pieces: where this piece begins, in bytes
    partial     true while the answer is still being written; its next delta starts at byte `bytes`
    bytes, sum  of the whole text
    """

    msg: UUID
    turn: UUID | None = None
    role: Literal["user", "assistant"]
    text: str
    files: tuple[FileBody, ...] | None = None
    off: SizeBytes | None = None
    bytes: SizeBytes
    sum: Digest
    partial: bool | None = None


class ConversationState(WireBody):
    """The `d` of one `conv.state`: part `part` of `of`, messages oldest first; `older` says that there are more.

    closed    true when nothing can be asked any more
    active    the unfinished turn as of this state, null when there is none; newer than what `welcome` said
    confirms  the questions open as of this state, in full
    """

    part: int = Field(ge=1)
    of: int = Field(ge=1)
    title: str
    msgs: tuple[StateMessage, ...]
    older: bool
    closed: Literal[True] | None = None
    active: ActiveTurn | None
    confirms: tuple[ConfirmRequested, ...] = ()

    @override
    def to_json(self) -> str:
        return add_active(super().to_json(), self.active)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateContent:
    """What a state is made of; messages oldest first."""

    title: str
    messages: Sequence[StateMessage]
    older: bool
    active: ActiveTurn | None
    confirms: Sequence[ConfirmRequested] = ()
    is_closed: bool = False


def encode_state_frames(conversation_id: UUID, seq: Seq, content: StateContent) -> list[str]:
    """Return the 1..n frames of a state as of position `seq`, each within 64 KiB.

    Only the last one carries the position: a phone keeps what it had until that one arrives.
    """
    parts = list(_fill_parts(content.messages))
    frames = []
    for number, part in enumerate(parts, 1):
        body = ConversationState(
            part=number,
            of=len(parts),
            title=content.title,
            msgs=tuple(part),
            older=content.older,
            closed=content.is_closed or None,
            active=content.active,
            confirms=tuple(content.confirms),
        )
        position = f'"s":{seq},"snap":true,' if number == len(parts) else ""
        frames.append(f'{{"t":"{STATE_TYPE}","c":"{conversation_id}",{position}"d":{body.to_json()}}}')
    return frames


def _fill_parts(messages: Sequence[StateMessage]) -> Iterator[list[StateMessage]]:
    """Yield at least one list of messages; each stays under `PART_BYTES` on the wire."""
    part: list[StateMessage] = []
    size_bytes = 0
    for piece in (piece for message in messages for piece in _cut(message)):
        piece_bytes = len(piece.to_json().encode()) + 1
        if part and size_bytes + piece_bytes > PART_BYTES:
            yield part
            part, size_bytes = [], 0
        part.append(piece)
        size_bytes += piece_bytes
    yield part


def _cut(message: StateMessage) -> Iterator[StateMessage]:
    """Yield the message whole, or in pieces when it is too long for one frame."""
    if len(message.text) <= PIECE_CHARS or len(message.to_json().encode()) <= PART_BYTES:
        yield message
        return
    off = 0
    for start in range(0, len(message.text), PIECE_CHARS):
        text = message.text[start : start + PIECE_CHARS]
        yield message.model_copy(update={"text": text, "off": off})
        off += len(text.encode())
