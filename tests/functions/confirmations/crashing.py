"""Child of `test_crashes`: for each order it forks a process that approves a confirmation and kills itself midway.

    python -m tests.functions.confirmations.crashing '[{"point": …, "confirmation": …, "session": …, …}, …]'

A point is a part of an SQL statement, after which the process dies without a word; one that begins with "later:" counts
only after the decision committed. "<send>" and "<answer>" are inside the gateway, before and after it accepted.
"""

import json
import os
import signal
import sys
from datetime import timedelta
from functools import partial
from uuid import UUID

import django
from django.conf import settings
from django.db import connection
from typing_extensions import override

django.setup()

from accounts.device_signatures import decode_base64url  # noqa: E402 - the apps must be ready
from accounts.gateways.contract import GatewayReply, GatewayRequest  # noqa: E402
from accounts.gateways.demo import DemoGateway  # noqa: E402
from accounts.models import DeviceSession  # noqa: E402
from accounts.services.idempotency import retry_transaction  # noqa: E402
from functions.confirmations.checking import Decision  # noqa: E402
from functions.confirmations.deciding import decide  # noqa: E402
from functions.confirmations.settling import ask_gateway, settle_confirmation  # noqa: E402
from functions.models import Confirmation  # noqa: E402
from tests.accounts.crashing import build_killer, die  # noqa: E402
from tests.factories.ledger import NOW, build_context  # noqa: E402

AT = NOW + timedelta(seconds=10)
LATER = "later:"
HERE = "tests.functions.confirmations.crashing"


class DiesBeforeSending(DemoGateway):
    """Never hears of the operation."""

    @override
    def send(self, request: GatewayRequest) -> GatewayReply:
        die()
        raise AssertionError("dead")


class DiesAfterAnswering(DemoGateway):
    """Accepts it and cannot say so any more."""

    @override
    def send(self, request: GatewayRequest) -> GatewayReply:
        super().send(request)
        die()
        raise AssertionError("dead")


GATEWAYS = {"<send>": DiesBeforeSending, "<answer>": DiesAfterAnswering}


def approve(point: str, confirmation: Confirmation, session_id: str, kid: str, signature: str) -> None:
    """Decide, ask the gateway, settle: what the server does for an approval."""
    if point in GATEWAYS:
        settings.PAYMENT_GATEWAY = f"{HERE}.{GATEWAYS[point].__name__}"
    decision = Decision(
        confirm=confirmation.pk,
        decision="approve",
        hash=confirmation.digest,
        nonce=confirmation.nonce,
        kid=kid,
        sig=decode_base64url(signature),
    )
    act = partial(
        decide,
        build_context(),
        customer_id=confirmation.customer_id,
        conversation_id=confirmation.conversation_id,
        session_id=UUID(session_id),
        device_id=DeviceSession.objects.get(pk=session_id).device_id,
        decision=decision,
        now=AT,
    )
    with connection.execute_wrapper(build_killer("no such statement" if point.startswith(LATER) else point)):
        retry_transaction(act)
    with connection.execute_wrapper(build_killer(point.removeprefix(LATER))):
        ask_gateway(build_context(), confirmation_id=confirmation.pk, now=AT)
        retry_transaction(partial(settle_confirmation, build_context(), confirmation_id=confirmation.pk, now=AT))


def run_and_die(order: dict[str, str]) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            confirmation = Confirmation.objects.get(pk=order["confirmation"])
            approve(order["point"], confirmation, order["session"], order["kid"], order["signature"])
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        sys.exit(f"survived {order['point']}")


if __name__ == "__main__":
    for found in json.loads(sys.argv[1]):
        run_and_die(found)
