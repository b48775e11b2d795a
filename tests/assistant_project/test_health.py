"""Liveness asks nobody; readiness names what is missing, within two seconds, and never calls GigaChat."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from time import time

import pytest
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import AsyncClient, Client
from pytest_django import Settings

from accounts.models import Account
from assistant_project import health
from assistant_project.health import Readiness, Report, wait_for_report
from chat.gigachat.breaker import Breaker, BreakerLimits
from chat.gigachat.catalogue import check_model
from chat.gigachat.credentials import parse_credentials
from chat.gigachat.errors import Unreachable
from chat.gigachat.oauth import Token
from chat.gigachat.rest_types import ModelInfo
from chat.gigachat.token_cache import TokenCache
from chat.node import start_node, stop_node

CREDENTIALS = "Y2xpZW50OnNlY3JldA=="


@pytest.fixture(autouse=True)
def fresh_readiness(monkeypatch: pytest.MonkeyPatch, authority: Path) -> Iterator[None]:
    """Each test looks for itself; the product looks once a second."""
    readiness = Readiness()
    monkeypatch.setattr(health, "readiness", readiness)
    yield
    readiness._executor.shutdown()


def test_live_answers_without_a_database(client: Client) -> None:
    response = client.get("/livez")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response.headers["Cache-Control"]


def test_live_refuses_other_methods(client: Client) -> None:
    assert client.post("/livez").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_ready_with_everything_reports_each_check(client: Client) -> None:
    response = client.get("/readyz")

    assert response.json() == {
        "status": "ok",
        "checks": {
            "database": "ok",
            "cache": "ok",
            "certificate": "ok",
            "model": "ok",
            "vision_model": "ok",
            "drain": "ok",
        },
        "model": "GigaChat-2",
        "token": "no credentials",
        "breaker": "unknown",
        "ledger": "ok",
    }
    assert response.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_ready_with_unapplied_migration_is_refused(client: Client) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("audit", "0001_append_only_entries")
    try:
        response = client.get("/readyz")
    finally:
        recorder.record_applied("audit", "0001_append_only_entries")

    assert (response.status_code, response.json()["checks"]["database"]) == (503, "not migrated")


@pytest.mark.django_db(transaction=True)
def test_ready_with_lost_redis_is_refused(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": settings.REDIS_URL}
    }

    response = client.get("/readyz")

    assert (response.status_code, response.json()["checks"]["cache"]) == (503, "unreachable")


@pytest.mark.django_db(transaction=True)
def test_ready_with_reachable_redis_is_ok(
    client: Client, settings: Settings, redis_url: str, redis_cache: None
) -> None:
    settings.REDIS_URL = redis_url

    assert client.get("/readyz").json()["checks"]["cache"] == "ok"


@pytest.mark.django_db(transaction=True)
def test_ready_with_lost_database_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.databases["default"], "HOST", "/nowhere")
    monkeypatch.setitem(connections.databases["default"], "OPTIONS", {})

    response = client.get("/readyz")

    assert (response.status_code, response.json()["checks"]["database"]) == (503, "unreachable")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("content", "answer"), [(None, "authority_missing"), ("not a certificate", "authority_unreadable")]
)
def test_ready_without_usable_certificate_is_refused(
    client: Client, authority: Path, content: str | None, answer: str
) -> None:
    authority.unlink()
    if content is not None:
        authority.write_text(content, encoding="utf-8")

    response = client.get("/readyz")

    assert (response.status_code, response.json()["checks"]["certificate"]) == (503, answer)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("listed", "answers", "status"),
    [
        (["GigaChat-2", "GigaChat-2-Pro"], ("ok", "ok"), 200),
        (["GigaChat-2-Pro"], ("not listed", "ok"), 503),
        (["GigaChat-2"], ("ok", "not listed"), 503),
    ],
)
def test_ready_without_a_configured_model_is_refused(
    client: Client, settings: Settings, listed: list[str], answers: tuple[str, str], status: int
) -> None:
    check_model(settings.GIGACHAT_MODEL, lambda: [ModelInfo(name=name, kind="chat") for name in listed])

    response = client.get("/readyz")

    checks = response.json()["checks"]
    assert ((checks["model"], checks["vision_model"]), response.status_code) == (answers, status)


@pytest.mark.django_db(transaction=True)
def test_ready_tells_of_a_dropped_rule_of_the_ledger_and_goes_on_serving(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_account DROP CONSTRAINT account_is_not_overdrawn")
    try:
        response = client.get("/readyz")
    finally:
        restore_constraint("account_is_not_overdrawn")

    assert (response.status_code, response.json()["ledger"]) == (200, "broken")
    assert [record.rule for record in caplog.records if hasattr(record, "rule")] == ["account_is_not_overdrawn"]
    # Looked at once a minute only.
    health.readiness._looked_at = float("-inf")
    assert client.get("/readyz").json()["ledger"] == "broken"


def restore_constraint(name: str) -> None:
    constraint = next(found for found in Account._meta.constraints if found.name == name)
    with connection.schema_editor() as editor:
        editor.add_constraint(Account, constraint)


@pytest.mark.django_db(transaction=True)
def test_ready_tells_whether_a_token_is_held(client: Client, settings: Settings) -> None:
    settings.GIGACHAT_CREDENTIALS = CREDENTIALS
    credentials = parse_credentials(CREDENTIALS, settings.GIGACHAT_SCOPE)

    assert client.get("/readyz").json()["token"] == "absent"
    cache = TokenCache(credentials, auth_url=settings.GIGACHAT_AUTH_URL)
    cache.store_token(Token(value="s3cret", issued_at=time(), expires_at=time() + 600), now=time())
    health.readiness = Readiness()
    response = client.get("/readyz")

    assert response.json()["token"] == "valid"
    assert "s3cret" not in response.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("changes", "token"),
    [
        ({"GIGACHAT_AUTH": "token", "GIGACHAT_TOKEN": "s3cret"}, "fixed"),
        ({"GIGACHAT_AUTH": "mtls"}, "not needed"),
        ({"GIGACHAT_AUTH": "nonsense"}, "no credentials"),
    ],
)
def test_ready_tells_how_gigachat_knows_us(
    client: Client, settings: Settings, changes: dict[str, str], token: str
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)

    assert client.get("/readyz").json()["token"] == token


@pytest.mark.django_db(transaction=True)
def test_ready_tells_how_the_breaker_of_gigachat_stands(client: Client, settings: Settings) -> None:
    settings.GIGACHAT_CREDENTIALS = CREDENTIALS
    assert client.get("/readyz").json()["breaker"] == "closed"
    breaker = Breaker(settings.GIGACHAT_BASE_URL, BreakerLimits(failures=1))
    breaker.record(breaker.admit(), Unreachable())

    health.readiness = Readiness()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["breaker"]) == (200, "open")

    settings.GIGACHAT_BREAKER_FAILURES = 0
    health.readiness = Readiness()
    assert client.get("/readyz").json()["breaker"] == "off"


@pytest.mark.django_db(transaction=True)
async def test_ready_while_draining_is_refused(async_client: AsyncClient, settings: Settings) -> None:
    settings.DRAIN_SECONDS = 0
    node = start_node(with_engine=False)
    try:
        assert (await async_client.get("/readyz")).status_code == 200
        node.is_draining = True
        health.readiness = Readiness()
        response = await async_client.get("/readyz")
    finally:
        await stop_node()

    assert (response.status_code, response.json()["checks"]["drain"]) == (503, "draining")


@pytest.mark.django_db(transaction=True)
def test_report_is_shared_for_a_second(client: Client) -> None:
    first = health.readiness.request_report()
    first.result(5)

    assert health.readiness.request_report() is first


async def test_hanging_look_is_reported_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "WAIT_SECONDS", 0.05)
    hanging: Future[Report] = Future()

    report = await wait_for_report(lambda: hanging)

    assert (report.is_ready, report.checks) == (False, {"probe": "no answer in 0.05 s"})
    assert not hanging.cancelled()
