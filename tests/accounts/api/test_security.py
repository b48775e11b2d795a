"""The password again, and keys of devices, over HTTP: rows, evidence, owner, stranger, nobody."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer, DeviceKey, DeviceSession
from accounts.services.device_keys import CHALLENGE_SECONDS, build_challenge, find_device_key
from accounts.tokens import issue_access_token
from audit.models import AuditEntry
from tests.device import Device
from tests.factories.accounts import PASSWORD, make_bearer, make_customer, make_session

pytestmark = pytest.mark.django_db
PHONE = "phone-1"


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


@pytest.fixture
def session(customer: Customer) -> DeviceSession:
    return make_session(customer, device_id=PHONE)


def build_bearer(session: DeviceSession) -> str:
    return f"Bearer {issue_access_token(session, timezone.now()).token}"


def call(method: str, path: str, bearer: str, body: object = None) -> Any:
    data = "" if body is None else json.dumps(body)
    headers = {"Authorization": bearer} if bearer else {}
    return Client().generic(method, f"/api/v1/{path}", data, "application/json", headers=headers)


def enroll(session: DeviceSession, device: Device, **changes: object) -> Any:
    bearer = build_bearer(session)
    challenge = call("POST", "devices/keys/challenge", bearer).json()["challenge"]
    body = {"public_key": device.spki, "challenge": challenge, "proof": device.prove(challenge), **changes}
    return call("POST", "devices/keys", bearer, body)


def make_stale(session: DeviceSession) -> None:
    old = timezone.now() - timedelta(seconds=301)
    DeviceSession.objects.filter(pk=session.pk).update(created_at=old, stepped_up_at=None)


def read_entries(*actions: str) -> list[tuple[str, str]]:
    found = AuditEntry.objects.filter(action__in=actions).order_by("recorded_at", "pk")
    return [(entry.action, entry.outcome) for entry in found]


def test_enroll_stores_the_key_and_its_evidence(customer: Customer, session: DeviceSession) -> None:
    response = enroll(session, Device())

    key = DeviceKey.objects.get()
    assert response.status_code == 201
    assert (response.json()["id"], response.json()["kid"]) == (str(key.pk), f"{PHONE}#1")
    assert (key.customer, key.device_id, key.number, key.revoked_at) == (customer, PHONE, 1, None)
    entry = AuditEntry.objects.get(action="device_key.enrolled")
    assert entry.customer_id == customer.pk
    assert PHONE not in bytes(entry.body).decode(), "what an app calls a device may name its owner"


def test_enroll_takes_a_jwk_and_a_raw_signature(session: DeviceSession) -> None:
    assert enroll(session, Device(), public_key=Device().jwk).status_code == 400, "another key's proof"
    device = Device()
    assert enroll(session, device, public_key=device.jwk).status_code == 201


def test_enroll_again_revokes_the_older_key_and_the_same_key_changes_nothing(session: DeviceSession) -> None:
    device = Device()
    first, again = enroll(session, device).json(), enroll(session, device).json()
    second = enroll(session, Device()).json()

    assert first == again
    assert (first["kid"], second["kid"]) == (f"{PHONE}#1", f"{PHONE}#2")
    live = DeviceKey.objects.filter(revoked_at__isnull=True)
    assert [str(key.pk) for key in live] == [second["id"]]
    actions = read_entries("device_key.enrolled", "device_key.revoked")
    assert [action for action, _ in actions] == ["device_key.enrolled", "device_key.revoked", "device_key.enrolled"]


def test_enroll_needs_a_fresh_password_and_step_up_makes_it_fresh(session: DeviceSession) -> None:
    make_stale(session)
    refused = enroll(session, Device())
    assert (refused.status_code, refused.json()["code"]) == (403, "auth.step_up")
    assert not DeviceKey.objects.exists()

    given = call("POST", "auth/step-up", build_bearer(session), {"password": PASSWORD})

    assert (given.status_code, given.json()) == (200, {"fresh_seconds": 300})
    session.refresh_from_db()
    assert session.stepped_up_at is not None
    assert read_entries("session.stepped_up") == [("session.stepped_up", "ok")]
    assert enroll(session, Device()).status_code == 201


def test_enroll_with_a_wrong_challenge_is_refused(customer: Customer, session: DeviceSession) -> None:
    device = Device()
    now = timezone.now()
    foreign = build_challenge(make_session(customer).pk, now)
    old = build_challenge(session.pk, now - timedelta(seconds=CHALLENGE_SECONDS + 2))
    forged = signing.dumps([str(session.pk), int(now.timestamp())], salt="another")

    for challenge in (foreign, old, forged, "x"):
        refused = enroll(session, device, challenge=challenge, proof=device.prove(challenge))
        assert (refused.status_code, refused.json()["field"]) == (400, "challenge")
    assert not DeviceKey.objects.exists()


@pytest.mark.parametrize("proof", ["", "!", "AAAA", "A" * 128])
def test_enroll_with_a_wrong_proof_is_refused(session: DeviceSession, proof: str) -> None:
    refused = enroll(session, Device(), proof=proof)
    assert (refused.status_code, refused.json()["field"]) == (400, "proof")


@pytest.mark.parametrize("key", [None, "", "AAAA", 5, [], {}, {"kty": "EC"}, "A" * 600])
def test_enroll_of_no_key_is_refused(session: DeviceSession, key: object) -> None:
    refused = enroll(session, Device(), public_key=key)
    assert (refused.status_code, refused.json()["field"]) == (400, "public_key")


def test_list_shows_live_keys_of_the_owner_only(customer: Customer, session: DeviceSession) -> None:
    enroll(session, Device())
    newest = enroll(session, Device()).json()

    assert call("GET", "devices/keys", build_bearer(session)).json() == {"results": [newest]}
    assert call("GET", "devices/keys", make_bearer(make_customer())).json() == {"results": []}
    assert call("GET", "devices/keys", "").status_code == 401


def test_revoke_ends_the_key_once_and_strangers_cannot(session: DeviceSession) -> None:
    key = enroll(session, Device()).json()
    path = f"devices/keys/{key['id']}"

    assert call("DELETE", path, make_bearer(make_customer())).status_code == 404
    assert call("DELETE", path, "").status_code == 401
    assert DeviceKey.objects.get().revoked_at is None
    assert [call("DELETE", path, build_bearer(session)).status_code for _ in range(2)] == [204, 204]
    assert DeviceKey.objects.get().revoked_at is not None
    assert read_entries("device_key.revoked") == [("device_key.revoked", "ok")]
    assert call("DELETE", f"devices/keys/{uuid4()}", build_bearer(session)).status_code == 404
    assert call("DELETE", "devices/keys/x", build_bearer(session)).status_code == 404


def test_step_up_with_a_wrong_password_counts_as_a_failed_login(session: DeviceSession, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_USERNAME = 1
    bearer = build_bearer(session)

    wrong = call("POST", "auth/step-up", bearer, {"password": "wrong"})
    right = call("POST", "auth/step-up", bearer, {"password": PASSWORD})

    assert (wrong.status_code, wrong.json()["code"]) == (401, "auth.refused")
    assert (right.status_code, right.json()["code"]) == (429, "limit.rate")
    session.refresh_from_db()
    assert session.stepped_up_at is None
    assert ("login.refused", "refused") in read_entries("login.refused")
    assert call("POST", "auth/step-up", "", {"password": PASSWORD}).status_code == 401


@pytest.mark.parametrize("kid", ["", "phone-1", "#", "phone-1#", "phone-1#x", "phone-1#²", "phone-1#1234567890"])
def test_find_device_key_of_a_name_that_is_none_finds_nothing(customer: Customer, kid: str) -> None:
    assert find_device_key(customer.pk, kid) is None


def test_keys_are_open_to_everybody() -> None:
    (key,) = Client().get("/api/v1/keys").json()["keys"]
    assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")
