"""A bank played by the test: asks the customer in signed terms, enrols device keys, gives receipts."""

import hashlib
import json
import time
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from playwright.async_api import Locator, Route, expect

from accounts.device_signatures import decode_base64url, is_signature_right, load_public_key
from accounts.keys import build_jwk, encode_base64url
from accounts.services.device_keys import PROOF_DOMAIN
from audit.canonical import encode_canonical
from functions.confirmations.server_key import PAYLOAD_DOMAIN, RECEIPT_DOMAIN
from tests.e2e.browser import PhonePage
from tests.e2e.scripted import Frame, ScriptedConversation, ScriptedServer

SIGNING = ec.ECDSA(SHA256())
KID = "bank-1"
QUESTION = "Переведи 15 000 на накопительный"
PASSWORD = "a password"
TERMS = {
    "act": "transfer_own",
    "from": str(uuid4()),
    "from_name": "Текущий ··4821",
    "to": str(uuid4()),
    "to_name": "Накопительный ··7730",
    "amt": "1500000",
    "ccy": "RUB",
    "fee": "0",
}


class ScriptedBank:
    """Signs and asks for one scripted server.

    is_fresh   while False, enrolling a key asks for the password first
    enrolled   public keys in the order of enrolment; the key id of the first is `phone#1`
    revoked    ids of keys that the customer removed
    passwords  those given again
    """

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.is_fresh = True
        self.enrolled: list[ec.EllipticCurvePublicKey] = []
        self.revoked: list[str] = []
        self.passwords: list[str] = []
        server.answers |= {
            "GET /keys": self._answer_keys,
            "POST /auth/step-up": self._answer_step_up,
            "POST /devices/keys/challenge": self._answer_challenge,
            "POST /devices/keys": self._answer_enrolment,
            **{f"DELETE /devices/keys/k{number}": self._answer_removal for number in (1, 2, 3)},
        }

    def ask(self, talk: ScriptedConversation, *, seconds: int = 120, **changes: Any) -> Frame:
        """Return a question about `TERMS`; `changes` replace terms, `body` what stands around them."""
        now = int(time.time())
        body: Frame = changes.pop("body", {})
        identity = {
            "id": str(uuid4()),
            "v": 1,
            "conv": talk.c,
            "turn": "t1",
            "n": encode_base64url(b"0123456789abcdef"),
        }
        terms = {**TERMS, **identity, "iat": now, "exp": now + seconds, **changes}
        payload = encode_canonical({name: value for name, value in terms.items() if value is not None})
        asked = {
            "confirm": identity["id"],
            "turn": "t1",
            "call": "c1",
            "payload": payload.decode(),
            "hash": encode_base64url(hashlib.sha256(payload).digest()),
            **self.sign(PAYLOAD_DOMAIN + payload),
            "exp_ms": terms["exp"] * 1000,
            "methods": ["device_key"],
        }
        return talk.event("confirm.requested", {**asked, **body})

    def give_receipt(self, talk: ScriptedConversation, asked: Frame, status: str = "done", **changes: Any) -> Frame:
        """Return the outcome of a question; `changes` are of the receipt, `body` of what stands around it."""
        body: Frame = changes.pop("body", {})
        terms = {name: value for name, value in json.loads(asked["payload"]).items() if name in TERMS}
        known = {"v": 1, "confirm": asked["confirm"], "status": status, "at": "2026-11-24T09:15:01.820000Z"}
        receipt = encode_canonical({**terms, **known, **changes})
        signed = {"receipt": receipt.decode(), **self.sign(RECEIPT_DOMAIN + receipt)}
        return talk.event("op.result", {"confirm": asked["confirm"], "status": status, **signed, **body})

    def sign(self, text: bytes) -> dict[str, str]:
        return {"ssig": encode_base64url(self.key.sign(text, SIGNING)), "kid": KID}

    def is_signed(self, decided: Frame, asked: Frame) -> bool:
        """Tell whether the newest enrolled key signed this decision on this question."""
        text = f"asst-confirm-v1\0{decided['decision']}\0{asked['payload']}".encode()
        is_named = decided["kid"] == f"phone#{len(self.enrolled)}"
        return is_named and is_signature_right(self.enrolled[-1], decode_base64url(decided["sig"]), text)

    async def _answer_removal(self, route: Route) -> None:
        self.revoked.append(route.request.url.rpartition("/")[2])
        await route.fulfill(status=204)

    async def _answer_keys(self, route: Route) -> None:
        jwk = build_jwk(self.key.public_key()) | {"kid": KID, "use": "sig", "alg": "ES256"}
        await route.fulfill(json={"keys": [jwk]})

    async def _answer_step_up(self, route: Route) -> None:
        password = json.loads(route.request.post_data or "{}")["password"]
        self.passwords.append(password)
        if password == PASSWORD:
            self.is_fresh = True
            await route.fulfill(json={"fresh_seconds": 300})
        else:
            await refuse(route, 401, "auth.refused")

    async def _answer_challenge(self, route: Route) -> None:
        await route.fulfill(json={"challenge": "c" * 40, "expires_in": 120})

    async def _answer_enrolment(self, route: Route) -> None:
        if not self.is_fresh:
            await refuse(route, 403, "auth.step_up")
            return
        body = json.loads(route.request.post_data or "{}")
        key = load_public_key(decode_base64url(body["public_key"]))
        assert is_signature_right(key, decode_base64url(body["proof"]), PROOF_DOMAIN + body["challenge"].encode())
        self.enrolled.append(key)
        await route.fulfill(status=201, json={"id": f"k{len(self.enrolled)}", "kid": f"phone#{len(self.enrolled)}"})


async def refuse(route: Route, status: int, code: str) -> None:
    await route.fulfill(status=status, json={"code": code, "message": "", "retryable": False, "trace": "t"})


def find_card(phone: PhonePage, phase: str = "") -> Locator:
    return phone.page.locator(f'.cards .card[data-phase="{phase}"]' if phase else ".cards .card[data-phase]")


async def put(bank: ScriptedBank, talk: ScriptedConversation, **changes: Any) -> Frame:
    """Ask, and wait until the page has proved it; returns the question's body."""
    frame = bank.ask(talk, **changes)
    bank.server.send(frame)
    await expect(find_card(bank.server.phone, "waiting")).to_be_visible()
    body: Frame = frame["d"]
    return body


async def press(phone: PhonePage, name: str) -> None:
    await find_card(phone).get_by_role("button", name=name, exact=True).click()


async def accept(server: ScriptedServer, talk: ScriptedConversation, asked: Frame, decision: str = "approve") -> Frame:
    """Take the page's decision as the server does; returns its body."""
    state = {"approve": "approved", "reject": "declined"}[decision]
    frame = await server.expect_reply_to("confirm.decide", {"state": state, "s": talk.top + 1})
    body: Frame = frame["d"]
    assert (frame["c"], body["decision"]) == (talk.c, decision)
    decided = {"confirm": asked["confirm"], "decision": decision, "dev": await read_device(server.phone)}
    server.send(talk.event("confirm.decided", decided))
    return body


async def read_device(phone: PhonePage) -> str:
    device: str = await phone.page.evaluate("() => localStorage.getItem('phone.device.0')")
    return device
