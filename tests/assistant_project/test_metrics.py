"""Who may scrape, and that the numbers are those of the database."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from chat.engine.tallies import ANSWERS_BY_FIGURES, ODDITIES
from chat.models import ModelPrice
from chat.services.runs import RunResult, finish_run
from tests.factories.chat import ENGINE, ask, claim_one
from tests.factories.talks import Talk

pytestmark = pytest.mark.django_db


def read_lines(client: Client) -> list[str]:
    response = client.get("/metrics")
    assert response.status_code == 200
    return [line for line in response.content.decode().splitlines() if not line.startswith("#")]


def test_metrics_tell_queue_streams_tokens_and_cost(client: Client) -> None:
    ModelPrice.objects.create(
        model="GigaChat-2",
        valid_from=timezone.now().date(),
        prompt_kopecks=1_000_000,
        completion_kopecks=2_000_000,
        cached_kopecks=0,
    )
    for _ in range(3):
        ask()
    result = RunResult(text="да", finish_reason="stop", prompt_tokens=17, completion_tokens=3, cached_tokens=2)
    finish_run(claim_one(), result, engine=ENGINE)
    claim_one()

    lines = read_lines(client)

    assert {
        'assistant_unfinished_turns{state="queued"} 1.0',
        'assistant_unfinished_turns{state="running"} 1.0',
        "assistant_streams_held 1.0",
        "assistant_sockets 0.0",
        'assistant_tokens_today{kind="prompt",model="GigaChat-2"} 17.0',
        'assistant_answers_today{model="GigaChat-2"} 1.0',
        'assistant_cost_today_kopecks{model="GigaChat-2"} 23.0',
        "assistant_ledger_rules_broken 0.0",
    } <= set(lines)


def test_metrics_tell_open_questions_and_what_answers_were_made_of(client: Client) -> None:
    Talk().wait_for_transfer()
    checked, broken = ANSWERS_BY_FIGURES["checked"], ODDITIES["broken_calls"]

    lines = read_lines(client)

    assert {
        'assistant_open_confirmations{state="pending"} 1.0',
        'assistant_unfinished_turns{state="awaiting_confirm"} 1.0',
        f'assistant_figures_total{{outcome="checked"}} {float(checked)}',
        f'assistant_oddities_total{{kind="broken_calls"}} {float(broken)}',
    } <= set(lines)


@pytest.mark.parametrize(
    ("address", "headers", "token", "status"),
    [
        ("127.0.0.1", {}, "", 200),
        ("10.0.0.9", {}, "", 404),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.9"}, "", 404),
        ("10.0.0.9", {"Authorization": "Bearer s3cret"}, "s3cret", 200),
        ("127.0.0.1", {}, "s3cret", 404),
        ("127.0.0.1", {"Authorization": "Bearer other"}, "s3cret", 404),
    ],
)
def test_metrics_are_for_this_machine_or_for_the_token(
    client: Client, settings: Settings, address: str, headers: dict[str, str], token: str, status: int
) -> None:
    settings.METRICS_TOKEN = token

    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status
