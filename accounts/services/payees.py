"""Saving whom a customer pays."""

import re
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce
from uuid_utils.compat import uuid7

from accounts.enums import PayeeKind, PayeeOrigin
from accounts.errors import PayeeUnavailable, RequisitesMalformed
from accounts.folding import MERCHANT_LENGTH, clean_untrusted
from accounts.gateways.contract import PaymentGateway, Recipient
from accounts.models import BankDirectory, Payee
from accounts.requisites import is_account_key_right
from accounts.vault import digest_target, seal_text, unseal_text
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

PHONE = re.compile(r"\+[0-9]{7,15}")
NOT_DIGITS = re.compile(r"[\s()\-]")


@transaction.atomic
def add_payee(
    context: AuditContext,
    *,
    customer_id: UUID,
    kind: PayeeKind,
    target: str,
    shown_name: str,
    bik: str,
    origin: PayeeOrigin,
    now: datetime,
    public_id: UUID | None = None,
) -> Payee:
    """Save a payee, or return the one that has this target already; its name then is brought up to date.

    target      phone for sbp, account number for requisites and own, code of a biller otherwise
    shown_name  as the other side gave it, already masked
    bik         of the bank; "" for billers
    public_id   of a new one; default: a random one

    Raises: RequisitesMalformed
    """
    target = check_target(kind, target, bik)
    digest = digest_target(kind, target)
    name = clean_untrusted(shown_name, MERCHANT_LENGTH)
    payee, is_new = Payee.objects.get_or_create(
        customer_id=customer_id,
        kind=kind,
        target_digest=digest,
        bank_id=bik or None,
        defaults={
            "target_sealed": seal_text(target),
            "target_hint": target[-4:],
            "shown_name": name,
            "origin": origin,
            "created_at": now,
            "public_id": public_id or uuid7(),
        },
    )
    if is_new:
        record_payee(context, payee)
    elif payee.shown_name != name:
        payee.shown_name = name
        payee.save(update_fields=["shown_name"])
    return payee


def record_payee(context: AuditContext, payee: Payee) -> None:
    record_entry(
        context,
        AuditAction.PAYEE_ADDED,
        subject="payee",
        subject_id=str(payee.public_id),
        customer_id=payee.customer_id,
        details={"kind": payee.kind, "origin": payee.origin},
    )


def check_target(kind: PayeeKind, target: str, bik: str) -> str:
    """Return the target as it is stored.

    Raises: RequisitesMalformed
    """
    if kind == PayeeKind.SBP:
        return normalise_phone(target)
    if kind in {PayeeKind.OWN, PayeeKind.REQUISITES} and not is_account_key_right(bik, target):
        raise RequisitesMalformed("account")
    return target


def normalise_phone(phone: str) -> str:
    """Return the phone in E.164: "8 (900) 000-00-01" is "+79000000001".

    Raises: RequisitesMalformed
    """
    digits = NOT_DIGITS.sub("", phone)
    if re.fullmatch(r"[78][0-9]{10}", digits):
        digits = f"+7{digits[1:]}"
    if not PHONE.fullmatch(digits):
        raise RequisitesMalformed("phone")
    return digits


def find_payee_by_phone(customer_id: UUID, phone: str) -> Payee | None:
    """Return the customer's payee with this phone, last paid first.

    Raises: RequisitesMalformed
    """
    digest = digest_target(PayeeKind.SBP, normalise_phone(phone))
    rows = Payee.objects.select_related("bank").filter(customer_id=customer_id, target_digest=digest)
    return rows.filter(kind=PayeeKind.SBP).order_by("-last_paid_at", "-pk").first()


def find_recipients(gateway: PaymentGateway, phone: str) -> list[Recipient]:
    """Return who answers to this phone, the default bank first; one call to the outside, never in a transaction.

    Raises: RequisitesMalformed, PayeeUnavailable when nobody does, GatewayUnavailable
    """
    found = list(gateway.find_recipients(normalise_phone(phone)))
    if not found:
        raise PayeeUnavailable
    return found


def save_recipient(
    context: AuditContext, *, customer_id: UUID, phone: str, recipient: Recipient, origin: PayeeOrigin, now: datetime
) -> Payee:
    """Save who answered to this phone; the bank comes into the directory when it is new.

    A new payee has the id that `choose_recipient_id` foretold.

    Raises: RequisitesMalformed
    """
    with transaction.atomic():
        BankDirectory.objects.get_or_create(bik=recipient.bik, defaults={"name": recipient.bank_name})
        return add_payee(
            context,
            customer_id=customer_id,
            kind=PayeeKind.SBP,
            target=phone,
            shown_name=recipient.shown_name,
            bik=recipient.bik,
            origin=origin,
            now=now,
            public_id=choose_recipient_id(customer_id, phone, recipient.bik),
        )


def choose_recipient_id(customer_id: UUID, phone: str, bik: str) -> UUID:
    """Return the id this phone at this bank will have as the customer's payee, the same every time.

    An order to somebody who is not saved yet must look the same when it is tried again: antifraud waits for it.

    Raises: RequisitesMalformed
    """
    digest = digest_target("payee id", f"{customer_id} {normalise_phone(phone)} {bik}")
    return UUID(hex=digest[:32], version=4)


def mark_paid(payee: Payee, now: datetime) -> None:
    """Remember that money reached the payee; the first time stays."""
    Payee.objects.filter(pk=payee.pk).update(first_paid_at=Coalesce("first_paid_at", now), last_paid_at=now)


def read_target(payee: Payee) -> str:
    """Return the phone or number in the open, for the gateway and for masking; never for a log."""
    return unseal_text(payee.target_sealed)
