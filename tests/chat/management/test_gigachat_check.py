import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.core.management import CommandError, call_command
from pytest_django import Settings

from chat.gigachat.doctor import Step
from chat.management.commands.gigachat_check import EXIT_CODES
from tests.chat.gigachat.conftest import build_authority
from tests.chat.gigachat.recordings import read_recording
from tests.chat.gigachat.scripted import CREDENTIALS, SECRET, Authority, Script, ScriptedServer, answer, play, refuse

MODELS = answer({"data": [{"id": "GigaChat-2", "type": "chat"}, {"id": "GigaChat-2-Pro", "type": "chat"}]})
BALANCE = answer({"balance": [{"usage": "GigaChat-2", "value": 900000}]})
Prepare = Callable[[ScriptedServer, Settings], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return build_authority(trustme.CA(), tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(settings: Settings, authority: Authority) -> Iterator[ScriptedServer]:
    server = ScriptedServer(authority.issue_context()).start()
    settings.GIGACHAT_CREDENTIALS = CREDENTIALS.authorization_key
    settings.GIGACHAT_BASE_URL = f"{server.origin}/v1"
    settings.GIGACHAT_AUTH_URL = f"{server.origin}/oauth"
    settings.GIGACHAT_CA_FILE = authority.file
    settings.GIGACHAT_CA_SHA256 = authority.sha256
    settings.GIGACHAT_MODEL = "GigaChat-2"
    settings.GIGACHAT_VISION_MODEL = "GigaChat-2-Pro"
    yield server
    server.stop()


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("gigachat_check", *arguments, stdout=out, no_color=True)
    except CommandError as error:
        return error.returncode, out.getvalue()
    return 0, out.getvalue()


def script(server: ScriptedServer, *rest: Script, chat: Script | None = None) -> None:
    server.rest_scripts.extend(rest or (MODELS, BALANCE))
    server.chat_scripts.append(chat or play(read_recording("text")))


def test_check_of_a_healthy_way_prints_a_line_a_step_and_ends_with_zero(server: ScriptedServer) -> None:
    script(server)
    code, text = run()
    assert code == 0
    lines = [line.split() for line in text.splitlines()]
    assert [line[:2] for line in lines] == [["ok", step.value] for step in Step]
    assert all(line[2].isdigit() and line[3] == "ms" for line in lines)
    assert SECRET not in text


def test_check_as_json_prints_one_document(server: ScriptedServer) -> None:
    script(server, MODELS, refuse(403))
    code, text = run("--json")
    document = json.loads(text)
    assert (code, document["ok"]) == (0, True)
    assert [step["verdict"] for step in document["steps"]] == [*["ok"] * 6, "note", "ok"]
    assert set(document["steps"][0]) == {"step", "verdict", "duration_ms", "detail", "advice"}


def break_settings(_server: ScriptedServer, settings: Settings) -> None:
    settings.GIGACHAT_AUTH = "basic"


def break_certificate(_server: ScriptedServer, settings: Settings) -> None:
    settings.GIGACHAT_CA_FILE = str(Path("/nonexistent.pem"))


def break_token(server: ScriptedServer, _settings: Settings) -> None:
    server.token_scripts.append(refuse(401, b'{"code":6}'))


def break_models(server: ScriptedServer, _settings: Settings) -> None:
    script(server, refuse(500))


def break_model(server: ScriptedServer, settings: Settings) -> None:
    settings.GIGACHAT_MODEL = "GigaChat"
    script(server)


def break_vision_model(server: ScriptedServer, settings: Settings) -> None:
    settings.GIGACHAT_VISION_MODEL = "GigaChat-2-Max"
    script(server)


def break_balance(server: ScriptedServer, _settings: Settings) -> None:
    script(server, MODELS, refuse(500))


def break_completion(server: ScriptedServer, _settings: Settings) -> None:
    script(server, chat=refuse(402))


FAULTS: list[tuple[Step, Prepare]] = [
    (Step.SETTINGS, break_settings),
    (Step.CERTIFICATE, break_certificate),
    (Step.TOKEN, break_token),
    (Step.MODELS, break_models),
    (Step.MODEL, break_model),
    (Step.VISION_MODEL, break_vision_model),
    (Step.BALANCE, break_balance),
    (Step.COMPLETION, break_completion),
]


@pytest.mark.parametrize(("step", "prepare"), FAULTS)
def test_check_that_fails_ends_with_the_code_of_the_step_and_says_what_to_do(
    server: ScriptedServer, settings: Settings, step: Step, prepare: Prepare
) -> None:
    prepare(server, settings)
    code, text = run()
    assert code == EXIT_CODES[step]
    lines = text.splitlines()
    failed = next(index for index, line in enumerate(lines) if line.startswith("failed"))
    assert lines[failed].split()[1] == step.value
    assert lines[failed + 1].strip().endswith(".")


@pytest.mark.parametrize(("step", "prepare"), FAULTS)
def test_check_that_fails_as_json_prints_one_document_all_the_same(
    server: ScriptedServer, settings: Settings, step: Step, prepare: Prepare
) -> None:
    prepare(server, settings)
    code, text = run("--json")
    document: dict[str, Any] = json.loads(text)
    assert (code, document["ok"]) == (EXIT_CODES[step], False)
    assert [found["step"] for found in document["steps"] if found["verdict"] == "failed"] == [step.value]


def test_exit_codes_are_distinct_and_none_is_djangos_own() -> None:
    assert set(EXIT_CODES) == set(Step)
    assert len(set(EXIT_CODES.values())) == len(Step)
    assert not {0, 1, 2} & set(EXIT_CODES.values())
