"""One socket per device, a few per customer."""

import asyncio
from uuid import uuid4

import pytest

from chat.socket.roster import Device, Roster, TooManySockets
from tests.factories.sockets import get_transport, make_claims, make_socket


async def test_roster_names_the_older_socket_of_the_same_device() -> None:
    entered: list[Device] = []
    roster, customer_id = Roster(entered.append), uuid4()
    old = make_socket(claims=make_claims(customer_id=customer_id))
    new = make_socket(claims=make_claims(customer_id=customer_id))

    assert roster.add(old, limit=1) == []
    assert roster.add(new, limit=1) == [old]

    assert entered == [Device(customer_id, "phone-a")] * 2


async def test_roster_refuses_one_device_too_many() -> None:
    roster, customer_id = Roster(lambda _device: None), uuid4()
    for name in ("a", "b"):
        roster.add(make_socket(claims=make_claims(customer_id=customer_id, device_id=name)), limit=2)

    with pytest.raises(TooManySockets):
        roster.add(make_socket(claims=make_claims(customer_id=customer_id, device_id="c")), limit=2)

    assert roster.add(make_socket(claims=make_claims(device_id="c")), limit=2) == [], "another customer"
    assert len(roster) == 3


async def test_roster_lets_the_successor_of_a_draining_socket_come_beside_it() -> None:
    roster, customer_id = Roster(lambda _device: None), uuid4()
    old = make_socket(claims=make_claims(customer_id=customer_id))
    old.is_draining = True
    roster.add(old, limit=1)

    assert roster.add(make_socket(claims=make_claims(customer_id=customer_id)), limit=1) == []


async def test_roster_closes_sockets_whose_device_connected_elsewhere() -> None:
    roster = Roster(lambda _device: None)
    here, other = make_socket(), make_socket()
    roster.add(here, limit=5)
    roster.add(other, limit=5)

    await roster.close_device(Device(here.require_claims().customer_id, "phone-a"))

    assert get_transport(here).closed_with == (4509, "replaced by the same device")
    assert get_transport(other).closed_with is None


async def test_roster_closes_sockets_of_revoked_sessions() -> None:
    roster = Roster(lambda _device: None)
    kept, revoked = make_socket(), make_socket()
    roster.add(kept, limit=5)
    roster.add(revoked, limit=5)

    await roster.close_revoked([revoked.require_claims().session_id])

    assert get_transport(revoked).closed_with == (4510, "session revoked")
    assert get_transport(kept).closed_with is None


async def test_roster_tells_when_the_last_socket_left() -> None:
    roster, session = Roster(lambda _device: None), make_socket()
    roster.add(session, limit=5)
    waiting = asyncio.create_task(roster.wait_until_empty())
    await asyncio.sleep(0)
    assert not waiting.done()

    roster.remove(session)
    roster.remove(session)

    await asyncio.wait_for(waiting, 5)
    assert list(roster) == []
