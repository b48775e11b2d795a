"""`/livez` and `/readyz` for the process manager and the load balancer. Small JSON, nothing secret.

`/livez` says the process answers and asks nobody. `/readyz` says this process can serve phones; it reports, but never
calls, GigaChat: a model that is down must not take the conversations' history away too.
"""

import asyncio
import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from accounts.ledger_check import check_rules
from chat.database import call_and_release
from chat.gigachat.auth import OAuth, StaticToken
from chat.gigachat.catalogue import find_model_report
from chat.gigachat.configuration import build_auth, get_breaker_state
from chat.gigachat.errors import AuthorityRefused, CredentialsMalformed, SettingRefused, SetupRefused
from chat.gigachat.tls import load_authority
from chat.gigachat.token_cache import TokenCache
from chat.node import find_node

logger = logging.getLogger(__name__)

OK = "ok"
# A load balancer asks often, of every process; one look per second is enough for all of them.
KEEP_SECONDS = 1.0
# Reading the rules of the ledger takes some milliseconds, and they never change by themselves.
KEEP_RULES_SECONDS = 60.0
WAIT_SECONDS = 2.0
PROBE_KEY = "readiness.probe"


@dataclass(frozen=True, slots=True)
class Report:
    """`faults` decide, `state` only tells."""

    checks: dict[str, str]
    state: dict[str, str]

    @property
    def is_ready(self) -> bool:
        return all(answer == OK for answer in self.checks.values())


class Readiness:
    """Looks at most once per second, on one thread of its own: a hanging database must not gather threads."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")
        self._lock = threading.Lock()
        self._flight: Future[Report] | None = None
        self._looked_at = float("-inf")
        self._is_migrated = False
        self._rules = "unknown"
        self._rules_read_at = float("-inf")

    def request_report(self) -> Future[Report]:
        """Return the look under way, the last one while it is fresh, or a new one."""
        with self._lock:
            is_stale = self._flight is None or (
                self._flight.done() and time.monotonic() - self._looked_at > KEEP_SECONDS
            )
            if self._flight is None or is_stale:
                self._flight = self._executor.submit(call_and_release, self._look)
            return self._flight

    def _look(self) -> Report:
        checks = {
            "database": self._check_database(),
            "cache": check_cache(),
            "certificate": check_certificate(),
            "model": check_listing(settings.GIGACHAT_MODEL),
            "vision_model": check_listing(settings.GIGACHAT_VISION_MODEL),
            "drain": check_drain(),
        }
        state = {**describe_model(), "ledger": self._describe_rules() if checks["database"] == OK else "unknown"}
        report = Report(checks=checks, state=state)
        self._looked_at = time.monotonic()
        return report

    def _check_database(self) -> str:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            # Costs fifty times the query above, and cannot become untrue again.
            self._is_migrated = self._is_migrated or has_all_migrations()
        except DatabaseError:
            return "unreachable"
        return OK if self._is_migrated else "not migrated"

    def _describe_rules(self) -> str:
        """Tell whether every constraint and trigger of the ledger is there as the migrations made it.

        Never decides: while a release changes a rule, the processes of the one before must go on serving. It is logged
        as an error each time it is looked at, and is a metric, to alert on.
        """
        if time.monotonic() - self._rules_read_at > KEEP_RULES_SECONDS:
            self._rules_read_at = time.monotonic()
            self._rules = describe_rules()
        return self._rules


def describe_rules() -> str:
    """Read the rules now: `ok`, `broken` or `unknown`; `manage.py ledger_check` names what is broken."""
    try:
        findings = check_rules()
    except DatabaseError:
        return "unknown"
    for finding in findings:
        logger.error("a rule of the ledger is broken", extra={"rule": finding.subject_id, "problem": finding.problem})
    return "broken" if findings else OK


def has_all_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def check_cache() -> str:
    """Say whether the configured Redis takes a value; the cache of a single process cannot fail."""
    if not settings.REDIS_URL:
        return OK
    try:
        cache.set(PROBE_KEY, "1", 5)
    except (RedisError, OSError):
        return "unreachable"
    return OK


def check_certificate() -> str:
    try:
        load_authority(settings.GIGACHAT_CA_FILE, settings.GIGACHAT_CA_SHA256)
    except AuthorityRefused as error:
        return error.code
    return OK


def check_listing(model: str) -> str:
    """Say whether the account's own list lacks a configured model; while nobody knows, that is no fault of ours."""
    return "not listed" if find_model_report(model).is_listed is False else OK


def check_drain() -> str:
    node = find_node()
    return "draining" if node is not None and node.is_draining else OK


def describe_model() -> dict[str, str]:
    """Tell which model is asked, how we are known there, and whether its host is being asked at all."""
    return {"model": settings.GIGACHAT_MODEL, "token": describe_token(), "breaker": describe_breaker()}


def describe_token() -> str:
    """Tell whether the processes share a valid token; an idle system holds none, a contour of ours needs none."""
    try:
        auth = build_auth()
    except (CredentialsMalformed, SettingRefused):
        return "no credentials"
    if not isinstance(auth, OAuth):
        return "fixed" if isinstance(auth, StaticToken) else "not needed"
    token = TokenCache(auth.credentials, auth_url=auth.auth_url).find_token()
    is_valid = token is not None and token.expires_at > dt.datetime.now(dt.UTC).timestamp()
    return "valid" if is_valid else "absent"


def describe_breaker() -> str:
    """Tell whether GigaChat's host failed so often that it is left alone for a while."""
    try:
        report = get_breaker_state()
    except SetupRefused:
        return "unknown"
    return "off" if report is None else report.state.value


readiness = Readiness()


@never_cache
@require_safe
async def show_live(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": OK})


@never_cache
@require_safe
async def show_ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200 or 503 within two seconds."""
    report = await wait_for_report(readiness.request_report)
    status = OK if report.is_ready else "unready"
    return JsonResponse(
        {"status": status, "checks": report.checks, **report.state}, status=200 if report.is_ready else 503
    )


async def wait_for_report(request_report: Callable[[], "Future[Report]"]) -> Report:
    """Return the report, or one that says a check hangs."""
    try:
        # Shielded: others wait for the same look.
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(request_report())), WAIT_SECONDS)
    except TimeoutError:
        return Report(checks={"probe": f"no answer in {WAIT_SECONDS:g} s"}, state={})
