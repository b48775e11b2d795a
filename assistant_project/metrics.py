"""`/metrics` in Prometheus' text format: this process's sockets and turns, and what the database knows of all.

Labels come from closed sets only (model names, states); no customer, no conversation.
"""

import secrets
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from accounts.ledger_check import check_rules
from chat.costs import list_model_totals
from chat.engine.tallies import ANSWERS_BY_FIGURES, ODDITIES
from chat.enums import FINAL_TURN_STATES
from chat.models import StreamSlot, Turn
from chat.node import find_node
from chat.services.usage import get_bank_day
from functions.enums import ConfirmationState
from functions.models import Confirmation

OPEN_STATES = (ConfirmationState.PENDING, ConfirmationState.PROCESSING, ConfirmationState.COOLING_OFF)
LOOPBACK = frozenset({"127.0.0.1", "::1"})


class NodeCollector(Collector):
    """Reads everything at the moment of the scrape: nothing is counted on a hot path."""

    @override
    def collect(self) -> Iterable[Metric]:
        yield from collect_node()
        yield from collect_queue()
        yield from collect_usage()
        yield from collect_confirmations()
        yield from collect_answers()
        yield from collect_ledger()


def collect_node() -> Iterator[GaugeMetricFamily]:
    node = find_node()
    engine = node.engine if node else None
    yield GaugeMetricFamily("assistant_sockets", "Phones connected to this process", len(node.roster) if node else 0)
    yield GaugeMetricFamily("assistant_running_turns", "Turns this process answers", engine.running if engine else 0)
    yield GaugeMetricFamily(
        "assistant_draining", "1 while this process sends its phones away", int(bool(node and node.is_draining))
    )


def collect_queue() -> Iterator[GaugeMetricFamily]:
    unfinished = Turn.objects.exclude(state__in=FINAL_TURN_STATES).order_by().values_list("state")
    turns = GaugeMetricFamily("assistant_unfinished_turns", "Unfinished turns of all processes", labels=["state"])
    for state, number in unfinished.annotate(Count("pk")):
        turns.add_metric([state], number)
    yield turns
    held = StreamSlot.objects.filter(lease_until__gt=timezone.now()).count()
    yield GaugeMetricFamily("assistant_streams_held", "Streams of GigaChat in use by all processes", held)
    yield GaugeMetricFamily("assistant_streams_limit", "Streams the licence allows", settings.GIGACHAT_STREAMS)


def collect_usage() -> Iterator[GaugeMetricFamily]:
    tokens = GaugeMetricFamily("assistant_tokens_today", "Tokens of the bank's day", labels=["model", "kind"])
    answers = GaugeMetricFamily("assistant_answers_today", "Answers of the bank's day", labels=["model"])
    cost = GaugeMetricFamily("assistant_cost_today_kopecks", "Cost of the bank's day, kopecks", labels=["model"])
    today = get_bank_day(timezone.now())
    for total in list_model_totals(today, today):
        answers.add_metric([total.model], total.runs)
        tokens.add_metric([total.model, "prompt"], total.prompt_tokens)
        tokens.add_metric([total.model, "completion"], total.completion_tokens)
        tokens.add_metric([total.model, "cached"], total.cached_tokens)
        if total.cost_kopecks is not None:
            cost.add_metric([total.model], total.cost_kopecks)
    yield from (answers, tokens, cost)


def collect_ledger() -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily(
        "assistant_ledger_rules_broken",
        "Constraints and triggers of the ledger that are not as the migrations made them",
        len(check_rules()),
    )


def collect_answers() -> Iterator[CounterMetricFamily]:
    """Yield what this process has counted since it started."""
    figures = CounterMetricFamily(
        "assistant_figures", "Answers whose figures were checked, and what came of it", labels=["outcome"]
    )
    for outcome in ("checked", "unsupported", "rewritten", "rendered"):
        figures.add_metric([outcome], ANSWERS_BY_FIGURES[outcome])
    oddities = CounterMetricFamily("assistant_oddities", "What the model should not have written", labels=["kind"])
    for kind in ("placeholders", "broken_calls", "unwanted_calls"):
        oddities.add_metric([kind], ODDITIES[kind])
    yield from (figures, oddities)


def collect_confirmations() -> Iterator[GaugeMetricFamily]:
    """Yield how many questions to customers are open, and payments without an outcome."""
    open_rows = Confirmation.objects.filter(state__in=OPEN_STATES).order_by().values_list("state")
    confirmations = GaugeMetricFamily("assistant_open_confirmations", "Questions and payments open", labels=["state"])
    for state, number in open_rows.annotate(Count("pk")):
        confirmations.add_metric([state], number)
    yield confirmations


registry = CollectorRegistry()
registry.register(NodeCollector())


@never_cache
@require_safe
def show_metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape from this machine, or one that carries METRICS_TOKEN; anybody else finds nothing here."""
    if not may_scrape(request):
        return HttpResponse(status=404)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_scrape(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(given.encode(), token.encode())
    # A proxy on this machine would look like this machine: its header says that the request came from elsewhere.
    return request.META.get("REMOTE_ADDR") in LOOPBACK and "X-Forwarded-For" not in request.headers
