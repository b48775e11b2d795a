"""What a phone must do with frames of a conversation: the cursor rule, without any network.

This is the reference for phone developers (docs/protocol.md, "The cursor rule"); it imports nothing of the server.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Frame = Mapping[str, Any]

TERMINAL = frozenset({"turn.completed", "turn.cancelled", "turn.failed"})


class Verdict(StrEnum):
    """What the phone does next with its connection."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    WAITING = "waiting"  # a part of a state, or what the awaited answer or state will contain
    ATTACH = "attach"  # ask again from the own position; nothing was applied
    RESYNC = "resync"  # the text is provably wrong: report it, ask for the whole state


def digest(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def follows(text: str, body: Frame) -> bool:
    """Return whether `text` is what the terminal event in `body` says it must be."""
    if body.get("bytes") is None:
        return True
    return (len(text.encode()), digest(text)) == (body["bytes"], body["sum"])


def read_turn(active: Frame | None) -> str | None:
    return None if active is None else str(active["turn"])


@dataclass
class FollowedConversation:
    """Everything a phone keeps of one conversation; a real one stores it in one transaction per frame.

    texts   message id -> text so far
    ended   turn id -> the terminal event's type
    active  the unfinished turn, as far as the server has said
    asked   an attach is on its way: frames sent before its answer change nothing and ask nothing
    """

    id: str
    epoch: str | None = None
    cursor: int = 0
    title: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    active: str | None = None
    types: list[str] = field(default_factory=list)
    is_closed: bool = False
    awaits_state: bool = False
    asked: bool = False
    _parts: list[Frame] = field(default_factory=list)

    def get_position(self) -> dict[str, Any]:
        """Return the `d` of an attach from here; empty when nothing is held."""
        return {} if self.epoch is None else {"e": self.epoch, "s": self.cursor}

    def take_attachment(self, entry: Frame) -> None:
        """Take the server's answer for this conversation from `welcome.subs` or the reply to `attach`."""
        self.asked = False
        if entry["mode"] == "denied":
            return
        self.awaits_state = entry["mode"] == "snapshot"
        self.epoch = entry["e"]
        self.active = read_turn(entry["active"])
        self._parts.clear()

    def receive(self, frame: Frame) -> Verdict:
        """Apply one frame of this conversation, or say why not and what to do about it."""
        if self.asked:
            return Verdict.WAITING
        verdict = self._judge(frame)
        self.asked = verdict in {Verdict.ATTACH, Verdict.RESYNC}
        return verdict

    def _judge(self, frame: Frame) -> Verdict:
        if frame["t"] == "conv.state":
            return self._take_state(frame)
        seq = frame["s"]
        if self.awaits_state:
            # Older than the state that was promised: that state contains it.
            return Verdict.WAITING
        if seq <= self.cursor:
            return Verdict.DUPLICATE
        if seq - frame.get("n", 1) != self.cursor:
            return Verdict.ATTACH
        if not self._apply(frame["t"], frame["d"]):
            return Verdict.RESYNC
        self.cursor = seq
        self.types.append(frame["t"])
        return Verdict.APPLIED

    def _apply(self, kind: str, body: Frame) -> bool:
        """Apply an event that is next in line; return False when it proves the held text wrong."""
        if kind == "text.delta":
            text = self.texts.get(body["msg"], "")
            if len(text.encode()) != body["off"]:
                return False
            self.texts[body["msg"]] = text + body["text"]
        elif kind == "msg.reset":
            self.texts[body["msg"]] = ""
        elif kind in {"msg.replaced", "msg.snapshot", "turn.accepted"}:
            self.texts[body["msg"]] = body["text"]
        elif kind in TERMINAL:
            if not follows(self.texts.get(body.get("msg", ""), ""), body):
                return False
            self.ended[body["turn"]] = kind
            self.active = None if self.active == body["turn"] else self.active
        elif kind == "turn.started":
            self.active = body["turn"]
        elif kind in {"conv.created", "conv.updated"}:
            self.title = body.get("title", self.title)
            self.is_closed = self.is_closed or body.get("closed", False)
        return True

    def _take_state(self, frame: Frame) -> Verdict:
        self._parts = [frame] if frame["d"]["part"] == 1 else [*self._parts, frame]
        if not frame.get("snap"):
            return Verdict.WAITING
        parts, self._parts = self._parts, []
        self.awaits_state = False
        if [part["d"]["part"] for part in parts] != list(range(1, frame["d"]["of"] + 1)):
            return Verdict.RESYNC
        texts: dict[str, str] = {}
        for message in (message for part in parts for message in part["d"]["msgs"]):
            texts[message["msg"]] = texts.get(message["msg"], "") + message["text"]
        for message in (message for part in parts for message in part["d"]["msgs"]):
            if not follows(texts[message["msg"]], message):
                return Verdict.RESYNC
        self.texts, self.title, self.cursor = texts, frame["d"]["title"], frame["s"]
        self.is_closed = frame["d"].get("closed", False)
        self.active = read_turn(frame["d"]["active"])
        self.types.append("conv.state")
        return Verdict.APPLIED
