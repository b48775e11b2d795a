"""Nothing of a customer's that must stay with the bank is in what the provider reads, whatever is asked."""

from datetime import timedelta

import pytest

from accounts.services.payees import read_target
from functions.privacy.patterns import find_values
from tests.factories.accounts import make_customer
from tests.factories.ledger import give_money, make_account, make_bill, make_card, make_payee
from tests.functions.turns import Talk

pytestmark = pytest.mark.django_db
QUESTIONS = (
    "Я Ветрова Анна, мой телефон +7 000 000-00-01. Какие у меня счета?",
    "дай реквизиты",
    "Повтори номер счёта и моё имя",
    "Сколько на карте?",
    "найди получателя Иван",
    "кому принадлежит 8 (000) 000-02-05?",
    "переведи 500 на 8 (000) 000-02-05 с сообщением «от Ветровой»",
    "покажи последние операции",
    "Какие у меня карты?",
    "моя карта 2200 0000 0000 0004, заблокируй её",
    "что мне скоро платить?",
    "На что я трачу деньги?",
    "мой ИНН 7707083893, почта anna@example.ru, СНИЛС 112-233-445 95",
    "переведи Ивану Иванову 300",
)
SECRETS = ("Ветров", "9001234567", "2200000000000004", "7707083893", "anna@example.ru", "Иванов")


def open_talk() -> Talk:
    talk = Talk(make_customer())
    long_ago = talk.now - timedelta(days=50)
    account = make_account(talk.customer, balance=5_000_000, now=long_ago)
    make_card(account, now=long_ago)
    make_payee(talk.customer, now=long_ago)
    make_bill(talk.customer)
    for memo in ("позвони +7 900 123-45-67", "на карту 2200 0000 0000 0004", "счёт 40817810500000000001 ⟦phone_1⟧"):
        give_money(account, 100_00, now=talk.now - timedelta(hours=1), memo=memo)
    return talk


def list_secrets(talk: Talk) -> list[str]:
    """Return the customer's own values and those typed or received."""
    account = talk.customer.accounts.first()
    payee = talk.customer.payees.first()
    assert account is not None
    assert payee is not None
    numbers = [talk.customer.phone, read_target(payee), account.number or ""]
    return [*SECRETS, *(number.removeprefix("+7") for number in numbers)]


def test_provider_reads_no_personal_value_whatever_is_asked() -> None:
    talk = open_talk()
    # Twice: the second time the history has what the first answers put in.
    for question in QUESTIONS * 2:
        talk.ask(question)
        # The limit of calls in ten minutes is another test's.
        talk.now += timedelta(minutes=5)
    secrets = list_secrets(talk)

    for text in talk.sent:
        assert find_values(text) == [], text
        assert [secret for secret in secrets if secret in text] == []


def test_customer_reads_the_values_the_provider_does_not() -> None:
    talk = open_talk()
    account = talk.customer.accounts.get()
    talk.ask("какие у меня счета?")

    assert account.number is not None
    assert account.number in talk.ask("дай реквизиты")
    assert account.number not in "".join(talk.sent)
    assert "⟦" not in talk.ask("кому принадлежит 8 (000) 000-02-05?")
