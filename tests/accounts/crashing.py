"""Child of `test_ledger_crashes`: does one act with money and kills itself where it is told to.

    python -m tests.accounts.crashing ACT POINT IDS...

A point is a part of an SQL statement, after which the process dies without a word, or "<send>" and "<answer>": inside
the gateway, before and after it accepted.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django
from django.db import connection
from typing_extensions import override

django.setup()

from accounts.gateways.contract import GatewayReply, GatewayRequest  # noqa: E402 - the apps must be ready
from accounts.gateways.demo import DemoGateway  # noqa: E402
from accounts.models import Account, Payee  # noqa: E402
from accounts.services.outgoing import submit_sbp_transfer  # noqa: E402
from accounts.services.scheduled import pay_scheduled  # noqa: E402
from accounts.services.transfers import submit_own_transfer  # noqa: E402
from tests.factories.ledger import NOW, build_context, build_own_transfer, build_sbp_transfer  # noqa: E402

AMOUNT = 4_000
KEY = "crash"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingGateway(DemoGateway):
    """Dies before it hears of the operation, or after it accepted it and before it could say so."""

    def __init__(self, point: str) -> None:
        super().__init__()
        self.point = point

    @override
    def send(self, request: GatewayRequest) -> GatewayReply:
        if self.point == "<send>":
            die()
        reply = super().send(request)
        if self.point == "<answer>":
            die()
        return reply


def build_killer(point: str) -> Callable[..., Any]:
    """Return a wrapper of statements that dies after the first one that contains `point`."""

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = run(sql, params, many, context)
        if point in sql:
            die()
        return result

    return execute


def main(act: str, point: str, *ids: str) -> None:
    if act == "scheduled":
        with connection.execute_wrapper(build_killer(point)):
            pay_scheduled(build_context(), gateway=DyingGateway(point), now=NOW)
        return
    accounts = {account.public_id: account for account in Account.objects.all()}
    source = accounts[UUID(ids[0])]
    with connection.execute_wrapper(build_killer(point)):
        if act == "own":
            order = build_own_transfer(source, accounts[UUID(ids[1])], AMOUNT, key=KEY)
            submit_own_transfer(build_context(), order=order, now=NOW)
        else:
            payee = Payee.objects.get(public_id=UUID(ids[1]))
            sbp = build_sbp_transfer(source, payee, AMOUNT, key=KEY)
            submit_sbp_transfer(build_context(), order=sbp, gateway=DyingGateway(point), now=NOW)


if __name__ == "__main__":
    main(*sys.argv[1:])
