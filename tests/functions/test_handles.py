from uuid import uuid4

import pytest

from functions.enums import HandleKind
from functions.handles import HandlesChanged, HandleTable, is_handle
from functions.models import Handle
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW

pytestmark = pytest.mark.django_db


def test_handles_are_minted_in_order_of_mention_and_stay() -> None:
    conversation, customer = uuid4(), make_customer()
    table = HandleTable(conversation, customer.pk)
    first, second = str(uuid4()), str(uuid4())
    assert [table.mint(HandleKind.ACCOUNT, one) for one in (first, second, first)] == ["acc_1", "acc_2", "acc_1"]
    assert table.mint(HandleKind.CARD, first) == "card_1"
    assert (table.save(NOW), table.save(NOW)) == (3, 0)

    again = HandleTable.load(conversation, customer.pk)
    assert again.mint(HandleKind.ACCOUNT, second) == "acc_2"
    assert again.mint(HandleKind.ACCOUNT, str(uuid4())) == "acc_3"
    assert [handle.text for handle in again] == ["acc_1", "acc_2", "card_1", "acc_3"]


@pytest.mark.parametrize("text", ["acc_1", " ACC_1 ", "⟦acc_1⟧", "⟦ acc_1 ⟧"])
def test_find_takes_what_models_write(text: str) -> None:
    table = HandleTable(uuid4(), uuid4())
    table.mint(HandleKind.ACCOUNT, "x")
    assert is_handle(text)
    found = table.find(text)
    assert found is not None
    assert (found.text, table.find_kind(text, HandleKind.ACCOUNT), table.find_kind(text, HandleKind.CARD)) == (
        "acc_1",
        found,
        None,
    )


@pytest.mark.parametrize("text", ["acc_2", "card_1", "acc_01", "acc_0", "acc", "acc_1 acc_1", "", "acc_" + "9" * 40])
def test_find_knows_nothing_else(text: str) -> None:
    table = HandleTable(uuid4(), uuid4())
    table.mint(HandleKind.ACCOUNT, "x")
    assert table.find(text) is None


def test_another_conversation_or_customer_sees_nothing() -> None:
    conversation, customer = uuid4(), make_customer()
    table = HandleTable(conversation, customer.pk)
    table.mint(HandleKind.ACCOUNT, "x")
    table.save(NOW)
    assert list(HandleTable.load(uuid4(), customer.pk)) == []
    assert list(HandleTable.load(conversation, make_customer().pk)) == []


def test_values_are_sealed_and_have_one_handle() -> None:
    conversation, customer = uuid4(), make_customer()
    table = HandleTable(conversation, customer.pk)
    assert table.mint_value(HandleKind.PHONE, "+70000000201") == "phone_1"
    assert table.mint_value(HandleKind.PHONE, "+70000000202") == "phone_2"
    table.save(NOW)

    row = Handle.objects.get(kind=HandleKind.PHONE, number=1)
    assert row.sealed is not None
    assert b"0000201" not in bytes(row.sealed)
    assert "0000201" not in row.reference
    again = HandleTable.load(conversation, customer.pk)
    assert (again.mint_value(HandleKind.PHONE, "+70000000201"), again.read_value("phone_1")) == (
        "phone_1",
        "+70000000201",
    )
    again.mint(HandleKind.ACCOUNT, "x")
    assert (again.read_value("acc_1"), again.read_value("phone_3")) == (None, None)
    with pytest.raises(ValueError, match="seal nothing"):
        again.mint_value(HandleKind.ACCOUNT, "x")


def test_save_refuses_a_number_that_became_something_else() -> None:
    conversation, customer = uuid4(), make_customer()
    mine, theirs = HandleTable(conversation, customer.pk), HandleTable(conversation, customer.pk)
    mine.mint(HandleKind.ACCOUNT, "x")
    theirs.mint(HandleKind.ACCOUNT, "x")
    theirs.mint(HandleKind.CARD, "y")
    theirs.save(NOW)
    # The same handle for the same object is no conflict.
    assert mine.save(NOW) == 1
    mine.mint(HandleKind.CARD, "z")
    with pytest.raises(HandlesChanged):
        mine.save(NOW)
