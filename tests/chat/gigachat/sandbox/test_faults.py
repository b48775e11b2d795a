"""The switch list, and standing switches that run out."""

from pathlib import Path

import pytest

from chat.gigachat.sandbox.faults import KINDS, FaultBoard, FaultError, parse_faults


def test_parse_faults_reads_names_values_and_defaults() -> None:
    assert parse_faults("429=7, comments ,cut") == {"429": 7.0, "comments": 0, "cut": 1}


@pytest.mark.parametrize("text", ["typo", "cut=many", "=1"])
def test_parse_faults_refuses_what_it_does_not_know(text: str) -> None:
    with pytest.raises(FaultError):
        parse_faults(text)


def test_take_combines_standing_switches_and_header() -> None:
    board = FaultBoard(lambda: 0.0)
    board.add("comments")

    faults = board.take("/chat/completions", "crlf")

    assert faults.to_json() == {"comments": 0, "crlf": 0}


def test_take_uses_up_a_count() -> None:
    board = FaultBoard(lambda: 0.0)
    board.add("500", count=2)

    taken = [bool(board.take("/chat/completions", None)) for _ in range(3)]

    assert taken == [True, True, False]
    assert board.to_json() == []


def test_take_forgets_after_seconds() -> None:
    now = [0.0]
    board = FaultBoard(lambda: now[0])
    board.add("500", seconds=10)
    before = board.take("/chat/completions", None)
    now[0] = 10.0

    assert (bool(before), bool(board.take("/chat/completions", None))) == (True, False)


def test_take_leaves_other_paths_alone() -> None:
    board = FaultBoard(lambda: 0.0)
    board.add("500", path="/models")

    assert [bool(board.take(path, None)) for path in ("/chat/completions", "/models", "/models/x")] == [
        False,
        True,
        True,
    ]


def test_add_sends_oauth_switches_to_oauth() -> None:
    board = FaultBoard(lambda: 0.0)
    board.add("oauth_401,500")

    assert board.take("/oauth", None).to_json() == {"oauth_401": 0}
    assert board.take("/chat/completions", None).to_json() == {"500": 0}


def test_clear_removes_everything() -> None:
    board = FaultBoard(lambda: 0.0)
    board.add("500,oauth_401")
    board.clear()

    assert not board.take("/chat/completions", None)


@pytest.mark.parametrize("name", list(KINDS))
def test_every_switch_is_documented_with_its_default_and_effect(name: str) -> None:
    text = (Path(__file__).parents[4] / "docs" / "sandbox.md").read_text(encoding="utf-8")

    assert f"| `{name}` | {KINDS[name].default:g} | {KINDS[name].effect} |" in text
