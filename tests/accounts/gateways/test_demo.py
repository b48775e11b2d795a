import contextlib
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.enums import GatewayAnswer
from accounts.errors import GatewayUnavailable
from accounts.gateways.contract import GatewayReply, GatewayRequest
from accounts.gateways.demo import Behaviour, DemoGateway
from accounts.gateways.installed import get_gateway
from accounts.money import Money

ID = UUID("01930000-0000-7000-8000-000000000001")


def build_request(target: str, attempt: int = 1) -> GatewayRequest:
    return GatewayRequest(
        operation_id=ID,
        gateway="sbp",
        target=target,
        recipient="049999999",
        amount=Money(100),
        memo="",
        attempt=attempt,
    )


def read(reply: GatewayReply | None) -> str:
    return "" if reply is None else reply.answer.value


def test_accepts_what_is_not_listed_with_the_same_reference_every_time() -> None:
    first, second = DemoGateway().send(build_request("+70000000001")), DemoGateway().send(build_request("+70000000001"))
    assert (first, first.answer, len(first.reference)) == (second, GatewayAnswer.ACCEPTED, 16)
    assert DemoGateway().ask(build_request("+70000000001")) == first


@pytest.mark.parametrize(
    ("ending", "sent", "asked"),
    [
        ("91", ["refused", "refused"], ["refused", "refused", "refused"]),
        ("92", ["silent", "silent"], ["silent", "silent", "accepted"]),
        ("93", ["silent", "silent"], ["refused", "refused", "refused"]),
        ("94", ["silent", "accepted"], ["", "", "accepted"]),
        ("95", ["accepted", "accepted"], ["accepted", "accepted", "accepted"]),
        ("96", ["silent", "silent"], ["accepted", "accepted", "accepted"]),
        ("97", ["accepted", "accepted"], ["accepted", "accepted", "accepted"]),
        ("98", ["silent", "silent"], ["silent", "silent", "silent"]),
    ],
)
def test_behaves_as_the_last_two_digits_say(ending: str, sent: list[str], asked: list[str]) -> None:
    gateway = DemoGateway()
    request = f"+700000000{ending}"

    def attempt(act: object, number: int) -> str:
        try:
            return read(act(build_request(request, number)))  # type: ignore[operator]
        except GatewayUnavailable:
            return "silent"

    assert [attempt(gateway.send, number) for number in (1, 2)] == sent
    assert [attempt(gateway.ask, number) for number in (1, 2, 3)] == asked


@pytest.mark.parametrize(("ending", "answer"), [("95", "accepted"), ("96", "accepted"), ("97", "refused")])
def test_delivers_late_answers_once(ending: str, answer: str) -> None:
    gateway = DemoGateway()
    with contextlib.suppress(GatewayUnavailable):
        gateway.send(build_request(f"+700000000{ending}"))
    delivered = gateway.take_answers()
    assert [(found.operation_id, found.reply.answer.value) for found in delivered] == [(ID, answer)]
    assert gateway.take_answers() == []


def test_behaviours_can_be_chosen() -> None:
    gateway = DemoGateway({"01": Behaviour.REFUSE})
    assert gateway.send(build_request("+70000000001")).answer == GatewayAnswer.REFUSED
    assert gateway.send(build_request("+70000000091")).answer == GatewayAnswer.ACCEPTED


def test_recipients_are_the_same_every_time_and_masked() -> None:
    found = DemoGateway().find_recipients("+70000000001")
    assert found == DemoGateway().find_recipients("+70000000001")
    assert all(recipient.shown_name.endswith(".") and len(recipient.bik) == 9 for recipient in found)
    assert DemoGateway().find_recipients("+70000000099") == ()


def test_installed_gateway_is_the_one_that_is_named(settings: Settings) -> None:
    assert isinstance(get_gateway(), DemoGateway)
    assert get_gateway() is get_gateway()
    settings.PAYMENT_GATEWAY = "accounts.gateways.demo.Nothing"
    with pytest.raises(ImportError):
        get_gateway()
