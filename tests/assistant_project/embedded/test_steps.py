"""A step is one line with its time; a closed terminal stops nothing."""

import io
import sys

import pytest
from typing_extensions import override

from assistant_project.embedded.steps import print_line, show_step


def test_step_is_shown_when_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with show_step("postgres") as step:
        step.detail = "18"
        assert capsys.readouterr().out == ""

    line = capsys.readouterr().out
    assert line.startswith(" ok  postgres     18 ")
    assert line.endswith(" 0.0 s\n")


def test_failed_step_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), show_step("postgres"):
        raise ValueError("no")

    assert capsys.readouterr().out == ""


class ClosedTerminal(io.StringIO):
    @override
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_closed_terminal_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", ClosedTerminal())

    print_line("anybody?")
