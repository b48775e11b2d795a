"""The question: canonical bytes, our signature, how it may be answered, one at a time."""

import hashlib
from datetime import timedelta
from typing import Any

import orjson
import pytest
from pytest_django import Settings
from typing_extensions import override

from accounts.device_signatures import decode_base64url, is_signature_right
from accounts.keys import encode_base64url
from accounts.models import Account, Customer
from audit.models import AuditEntry
from functions.confirmations.asking import build_request_body, list_open_confirmations, list_superseded
from functions.confirmations.payloads import build_payload
from functions.confirmations.server_key import PAYLOAD_DOMAIN, get_public_keys
from functions.enums import CallStatus, ConfirmationState, Risk
from functions.plans import Plan
from functions.registry import get_function
from tests.factories.confirmations import ask_block, ask_own_transfer
from tests.factories.ledger import NOW, make_card

pytestmark = pytest.mark.django_db


def test_question_shows_the_terms_in_canonical_bytes_and_is_signed_by_us(source: Account, target: Account) -> None:
    asked = ask_own_transfer(source, target)

    body = build_request_body(asked)
    payload = body["payload"].encode()
    assert orjson.loads(payload) == {
        "id": str(asked.pk),
        "v": 1,
        "act": "transfer_own",
        "from": str(source.public_id),
        "from_name": f"Текущий ··{source.last4}",
        "to": str(target.public_id),
        "to_name": f"Текущий ··{target.last4}",
        "amt": "50000",
        "ccy": "RUB",
        "fee": "0",
        "conv": str(asked.conversation_id),
        "turn": str(asked.turn_id),
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 120,
        "n": asked.nonce,
    }
    assert payload == orjson.dumps(orjson.loads(payload), option=orjson.OPT_SORT_KEYS), "RFC 8785"
    assert body["hash"] == encode_base64url(hashlib.sha256(payload).digest())
    key = get_public_keys()[body["kid"]]
    assert is_signature_right(key, decode_base64url(body["ssig"]), PAYLOAD_DOMAIN + payload)
    assert body["exp_ms"] == (int(NOW.timestamp()) + 120) * 1000
    assert body["methods"] == ["device_key"]
    assert len(decode_base64url(asked.nonce)) == 16
    assert not body.keys() & {"needs_payee", "step_up", "warnings"}


def test_question_leaves_evidence_without_terms(source: Account, target: Account) -> None:
    asked = ask_own_transfer(source, target)

    entry = AuditEntry.objects.get(action="fn.confirm_asked")
    text = bytes(entry.body).decode()
    assert (entry.subject_id, entry.customer_id) == (str(asked.pk), asked.customer_id)
    assert asked.digest in text
    assert "Текущий" not in text
    assert str(source.public_id) not in text


@pytest.mark.parametrize(
    ("risk", "method", "step_up"),
    [
        (Risk.NONE, "tap", None),
        (Risk.LOW, "device_key", None),
        (Risk.MEDIUM, "device_key", None),
        (Risk.HIGH, "device_key", True),
        (Risk.SUSPECT, "device_key", True),
    ],
)
def test_risk_decides_how_the_customer_must_say_yes(
    source: Account, target: Account, risk: Risk, method: str, step_up: bool | None
) -> None:
    body = build_request_body(
        ask_own_transfer(source, target, risk=risk, needs_payee=risk == Risk.HIGH, warnings=("large_amount",))
    )
    assert (body["methods"], body.get("step_up")) == ([method], step_up)
    assert body.get("needs_payee") == (True if risk == Risk.HIGH else None)
    assert body["warnings"] == ["large_amount"]


def test_time_to_decide_is_a_setting(source: Account, target: Account, settings: Settings) -> None:
    settings.CONFIRM_SECONDS = 300
    assert ask_own_transfer(source, target).expires_at == NOW + timedelta(seconds=300)


def test_second_question_of_a_conversation_supersedes_the_first(source: Account, target: Account) -> None:
    first = ask_own_transfer(source, target)
    elsewhere = ask_own_transfer(source, target)
    later = NOW + timedelta(seconds=5)
    second = ask_own_transfer(source, target, 60_000, now=later, conversation_id=first.conversation_id)

    first.refresh_from_db()
    first.call.refresh_from_db()
    assert (first.state, first.decided_at) == (ConfirmationState.SUPERSEDED, later)
    assert (first.call.status, first.call.code) == (CallStatus.ERROR, "superseded")
    assert orjson.loads(first.call.result)["error"]["code"] == "superseded"
    assert list_superseded(second) == [first]
    assert list_superseded(elsewhere) == []
    assert list_open_confirmations([first.conversation_id, elsewhere.conversation_id]) == {
        first.conversation_id: [second],
        elsewhere.conversation_id: [elsewhere],
    }
    assert AuditEntry.objects.filter(action="fn.confirm_closed", subject_id=str(first.pk)).count() == 1


def test_two_questions_never_share_nonce_or_digest(source: Account, target: Account) -> None:
    asked = [ask_own_transfer(source, target) for _ in range(3)]
    assert len({one.nonce for one in asked}) == len({one.digest for one in asked}) == 3


def test_action_of_no_risk_needs_a_tap(customer: Customer, source: Account) -> None:
    asked = ask_block(make_card(source))
    assert (asked.methods, asked.is_money, asked.needs_step_up) == ("tap", False, False)


def test_term_with_a_name_of_the_payload_is_refused(source: Account, target: Account) -> None:
    class ForgedPlan(Plan):
        @override
        def build_terms(self) -> dict[str, Any]:
            return {"exp": "9999999999"}

    asked = ask_own_transfer(source, target)
    with pytest.raises(ValueError, match="of the payload's own"):
        build_payload(asked, ForgedPlan(risk=Risk.LOW))


def test_terms_are_brought_to_one_normal_form(source: Account, target: Account) -> None:
    payload = orjson.loads(bytes(ask_own_transfer(source, target, source_name="сче\u0308т").payload))
    assert payload["from_name"] == "счёт"


def test_every_function_that_asks_is_registered() -> None:
    for name in ("transfer_between_own_accounts", "transfer_by_phone", "pay_bill", "block_card"):
        function = get_function(name)
        assert function is not None
        assert function.executor is not None
