"""docs/protocol.md is held to the code: its tables are complete and its transcripts run."""

import json
import re
from pathlib import Path
from typing import Any

from chat.protocol.codes import CloseCode, ErrorCode
from chat.protocol.commands import CommandType, parse_command
from chat.protocol.events import EventType
from tests.contract import check_command, check_sent
from tests.cursor import FollowedConversation, Verdict

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```frames\n(.*?)\n```", TEXT, re.DOTALL)


def read_rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def read_lines() -> list[tuple[str, dict[str, Any]]]:
    """Return who speaks and the frame, for every line of every transcript."""
    lines = [line.split("> ", 1) for block in BLOCKS for line in block.splitlines() if not line.startswith("#")]
    return [(who, json.loads(text)) for who, text in lines]


def test_table_of_errors_is_complete_and_right() -> None:
    assert [(row[0].strip("`"), row[1]) for row in read_rows("Errors")] == [
        (code.value, "yes" if code.is_retryable else "no") for code in ErrorCode
    ]


def test_table_of_close_codes_is_complete_and_right() -> None:
    assert [row[:3] for row in read_rows("Close codes")] == [
        [str(int(code)), code.reason, "yes" if code.reconnects else "no"] for code in CloseCode
    ]


def test_every_command_and_event_is_described() -> None:
    commands = {name for row in read_rows("Commands") for name in re.findall(r"`([^`]+)`", row[0])}
    assert commands == {kind.value for kind in CommandType}
    events = {name for row in read_rows("Events") for name in re.findall(r"`([^`]+)`", row[0])}
    assert events == {kind.value for kind in EventType}


def test_transcripts_obey_the_contract() -> None:
    lines = read_lines()
    assert len(lines) > 40
    for who, frame in lines:
        if who == "phone":
            check_command(frame)
            parse_command(json.dumps(frame))
        else:
            check_sent(frame)


def test_transcripts_obey_the_cursor_rule_to_the_byte() -> None:
    held: dict[str, FollowedConversation] = {}
    verdicts = []
    for who, frame in read_lines():
        if who == "phone":
            continue
        body = frame.get("d", {})
        entries = body["subs"] if frame["t"] == "welcome" else [body] if "mode" in body else []
        for entry in entries:
            held.setdefault(entry["c"], FollowedConversation(entry["c"])).take_attachment(entry)
        if "s" in frame:
            verdicts.append(held.setdefault(frame["c"], FollowedConversation(frame["c"])).receive(frame))
    assert set(verdicts) == {Verdict.APPLIED}
    assert [len(conversation.ended) for conversation in held.values() if conversation.cursor] == [5]


def test_transcripts_send_the_positions_that_are_held() -> None:
    cursors: dict[str, int] = {}
    for who, frame in read_lines():
        if who == "phone" and frame["t"] == "hello":
            for position in frame["d"]["subs"]:
                assert position.get("s") in {None, cursors[position["c"]]}
        elif who == "phone" and frame["t"] == "ack":
            assert frame["d"] == cursors
        elif who == "server" and "s" in frame:
            cursors[frame["c"]] = frame["s"]
