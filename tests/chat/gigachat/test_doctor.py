import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from chat.gigachat.auth import CertificateOnly, OAuth, StaticToken
from chat.gigachat.credentials import parse_credentials
from chat.gigachat.doctor import Examination, Finding, Step, Verdict
from chat.gigachat.errors import SettingRefused
from chat.gigachat.options import ClientOptions
from chat.gigachat.proxy import parse_proxy
from tests.chat.gigachat.recordings import read_recording
from tests.chat.gigachat.scripted import (
    CREDENTIALS,
    SECRET,
    Authority,
    Script,
    ScriptedServer,
    answer,
    play,
    refuse,
    reset,
)

MODELS = answer(
    {
        "data": [
            {"id": "GigaChat-2", "type": "chat"},
            {"id": "GigaChat-2-Max", "type": "chat"},
            {"id": "E", "type": "embedder"},
        ]
    }
)
BALANCE = answer({"balance": [{"usage": "GigaChat-2", "value": 900000}]})
TEXT = play(read_recording("text"))
OK, NOTE, FAILED, SKIPPED = Verdict.OK, Verdict.NOTE, Verdict.FAILED, Verdict.SKIPPED


def examine(
    build: Callable[[], ClientOptions], model: str = "GigaChat-2", vision_model: str = "GigaChat-2-Max"
) -> dict[Step, Finding]:
    """Return the findings by step; on the way prove that none shows a secret and that each fault has its advice."""
    findings = list(Examination(build=build, model=model, vision_model=vision_model).run())
    assert [finding.step for finding in findings] == list(Step)
    assert all(bool(finding.advice) is (finding.verdict is FAILED) for finding in findings)
    assert all(finding.duration_ms >= 0 for finding in findings)
    for secret in (SECRET, CREDENTIALS.authorization_key, "token-", "Вклад"):
        assert secret not in repr(findings)
    return {finding.step: finding for finding in findings}


def read_verdicts(findings: dict[Step, Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings.values()]


def script(server: ScriptedServer, *, rest: tuple[Script, ...] = (MODELS, BALANCE), chat: Script = TEXT) -> None:
    server.rest_scripts.extend(rest)
    server.chat_scripts.append(chat)


def test_doctor_of_a_healthy_way_finds_nothing(server: ScriptedServer, authority: Authority) -> None:
    script(server)
    findings = examine(lambda: server.build_options(authority))
    assert read_verdicts(findings) == [OK] * 8
    details = {step: finding.detail for step, finding in findings.items()}
    assert details[Step.SETTINGS] == f"{server.origin}/v1, oauth"
    assert details[Step.TOKEN].startswith("valid for 1")
    assert details[Step.MODELS] == "3 models; for chat: GigaChat-2, GigaChat-2-Max"
    assert (details[Step.MODEL], details[Step.VISION_MODEL]) == ("GigaChat-2", "GigaChat-2-Max")
    assert details[Step.BALANCE] == "tokens left: GigaChat-2 900000"
    assert details[Step.COMPLETION].endswith("55 tokens, request upstream-1")
    body = orjson.loads(server.chat_calls[0][1])
    assert (body["model"], body["max_tokens"]) == ("GigaChat-2", 16)


def test_doctor_asks_for_a_fresh_token_although_one_lives(server: ScriptedServer, authority: Authority) -> None:
    for _ in range(2):
        script(server)
        examine(lambda: server.build_options(authority))
    assert len(server.token_calls) == 3


def test_doctor_with_a_fixed_token_and_a_proxy_says_so(server: ScriptedServer, authority: Authority) -> None:
    proxy = parse_proxy("http://user:password@127.0.0.1:1")
    findings = examine(lambda: server.build_options(authority, auth=StaticToken("fixed"), proxy=proxy))
    assert read_verdicts(findings) == [OK, OK, NOTE, FAILED, *[SKIPPED] * 4]
    assert findings[Step.SETTINGS].detail.endswith("token through the proxy")
    assert "a fixed token" in findings[Step.TOKEN].detail
    assert findings[Step.MODELS].detail == "unreachable"
    assert "password" not in repr(findings)


def test_doctor_of_a_contour_needs_no_token(authority: Authority, tmp_path: Path) -> None:
    contour = ScriptedServer(authority.issue_mutual_context()).start()
    try:
        script(contour)
        certificate = authority.issue_client_certificate(tmp_path)
        findings = examine(
            lambda: contour.build_options(authority, auth=CertificateOnly(), client_certificate=certificate)
        )
        assert read_verdicts(findings) == [OK, OK, NOTE, *[OK] * 5]
        assert "our certificate is readable" in findings[Step.CERTIFICATE].detail
    finally:
        contour.stop()


def test_doctor_of_wrong_settings_stops_there() -> None:
    def build() -> ClientOptions:
        raise SettingRefused("GIGACHAT_AUTH")

    findings = examine(build)
    assert read_verdicts(findings) == [FAILED, *[SKIPPED] * 7]
    assert findings[Step.SETTINGS].detail == "setting_refused (GIGACHAT_AUTH)"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"ca_file": "/nonexistent.pem"}, "authority_missing"),
        ({"ca_sha256": "00" * 32}, "authority_mismatch"),
    ],
)
def test_doctor_of_wrong_root_stops_there(
    server: ScriptedServer, authority: Authority, changes: dict[str, Any], detail: str
) -> None:
    findings = examine(lambda: server.build_options(authority, **changes))
    assert read_verdicts(findings) == [OK, FAILED, *[SKIPPED] * 6]
    assert findings[Step.CERTIFICATE].detail == detail


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (refuse(401, b'{"code":6,"message":"credentials doesn\'t match db data"}'), "credentials_refused (HTTP 401)"),
        (refuse(400, b'{"code":7,"message":"x"}'), "scope_refused (HTTP 400)"),
        (refuse(429), "token_rate_limited (HTTP 429)"),
        (refuse(500, b"<html>", Content_Type="text/html"), "token_gateway_failed (HTTP 500)"),
        (reset, "token_unreachable"),
    ],
)
def test_doctor_without_token_stops_there(
    server: ScriptedServer, authority: Authority, *, fault: Script, detail: str
) -> None:
    server.token_scripts.append(fault)
    findings = examine(lambda: server.build_options(authority))
    assert read_verdicts(findings) == [OK, OK, FAILED, *[SKIPPED] * 5]
    assert findings[Step.TOKEN].detail == detail
    assert server.rest_calls == []


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (refuse(403, b'{"message":"Unauthorized"}'), "access_denied (HTTP 403)"),
        (refuse(404), "model_unknown (HTTP 404)"),
        (refuse(500), "server_failed (HTTP 500)"),
        (refuse(200, b"<html>", Content_Type="text/html"), "gateway_failed (HTTP 200)"),
    ],
)
def test_doctor_without_models_stops_there(
    server: ScriptedServer, authority: Authority, *, fault: Script, detail: str
) -> None:
    script(server, rest=(fault,))
    findings = examine(lambda: server.build_options(authority))
    assert read_verdicts(findings) == [OK, OK, OK, FAILED, *[SKIPPED] * 4]
    assert findings[Step.MODELS].detail == detail
    assert len(server.rest_calls) == 1


def test_doctor_without_the_configured_model_asks_it_nothing(server: ScriptedServer, authority: Authority) -> None:
    script(server)
    findings = examine(lambda: server.build_options(authority), model="GigaChat")
    assert read_verdicts(findings) == [OK, OK, OK, OK, FAILED, OK, OK, SKIPPED]
    assert findings[Step.MODEL].detail == "model_unknown"
    assert "GigaChat-2-Max" in findings[Step.MODELS].detail
    assert server.chat_calls == []


def test_doctor_without_the_model_for_pictures_says_so_and_goes_on(
    server: ScriptedServer, authority: Authority
) -> None:
    script(server)
    findings = examine(lambda: server.build_options(authority), vision_model="GigaChat-2-Pro")
    assert read_verdicts(findings) == [*[OK] * 5, FAILED, OK, OK]
    assert "GIGACHAT_VISION_MODEL" in findings[Step.VISION_MODEL].advice


def test_doctor_without_chat_models_and_tokens_says_none(server: ScriptedServer, authority: Authority) -> None:
    script(server, rest=(answer({"data": []}), answer({"balance": []})))
    findings = examine(lambda: server.build_options(authority))
    assert findings[Step.MODELS].detail == "0 models; for chat: none"
    assert findings[Step.BALANCE].detail == "tokens left: none"


def test_doctor_takes_a_denied_balance_for_an_account_that_pays_as_it_goes(
    server: ScriptedServer, authority: Authority
) -> None:
    script(server, rest=(MODELS, refuse(403, b'{"status":403,"message":"Permission denied"}')))
    findings = examine(lambda: server.build_options(authority))
    assert read_verdicts(findings) == [*[OK] * 6, NOTE, OK]


def test_doctor_goes_on_after_a_failed_balance(server: ScriptedServer, authority: Authority) -> None:
    script(server, rest=(MODELS, refuse(500)))
    findings = examine(lambda: server.build_options(authority))
    assert read_verdicts(findings) == [*[OK] * 6, FAILED, OK]


@pytest.mark.parametrize(
    ("chat", "detail"),
    [
        (refuse(402), "payment_required (HTTP 402)"),
        (refuse(429), "rate_limited (HTTP 429)"),
        (refuse(200, b"<html>", Content_Type="text/html"), "stream_missing (HTTP 200)"),
        (play(read_recording("without_finish")), "stream_broken"),
    ],
)
def test_doctor_without_an_answer_says_why(
    server: ScriptedServer, authority: Authority, *, chat: Script, detail: str
) -> None:
    script(server, chat=chat)
    findings = examine(lambda: server.build_options(authority))
    assert read_verdicts(findings) == [*[OK] * 7, FAILED]
    assert findings[Step.COMPLETION].detail == detail
    assert len(server.chat_calls) == 1


def test_doctor_of_an_answer_without_usage_counts_none(server: ScriptedServer, authority: Authority) -> None:
    script(server, chat=play(read_recording("without_usage")))
    assert "unknown tokens" in examine(lambda: server.build_options(authority))[Step.COMPLETION].detail


def test_doctor_shows_each_finding_as_it_ends(server: ScriptedServer, authority: Authority) -> None:
    findings = Examination(
        build=lambda: server.build_options(authority), model="GigaChat-2", vision_model="GigaChat-2"
    ).run()
    assert [finding.step for finding in itertools.islice(findings, 2)] == [Step.SETTINGS, Step.CERTIFICATE]
    assert server.token_calls == []


def test_doctor_asked_out_of_order_refuses(server: ScriptedServer, authority: Authority) -> None:
    with pytest.raises(RuntimeError):
        _ = Examination(
            build=lambda: server.build_options(authority), model="GigaChat-2", vision_model="GigaChat-2"
        ).options


def test_doctor_tells_an_unknown_scope_from_wrong_credentials(server: ScriptedServer, authority: Authority) -> None:
    server.token_scripts.append(refuse(400, b'{"code":5,"message":"scope is empty"}'))
    credentials = parse_credentials(CREDENTIALS.authorization_key, "GIGACHAT_API_CORP")
    auth = OAuth(credentials=credentials, auth_url=f"{server.origin}/oauth")
    findings = examine(lambda: server.build_options(authority, auth=auth))
    assert "GIGACHAT_SCOPE" in findings[Step.TOKEN].advice
