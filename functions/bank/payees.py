"""Finding whom the customer means: among saved payees by name, behind a phone by asking the payment system."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from accounts.enums import PayeeKind
from accounts.errors import PayeeUnavailable, RequisitesMalformed
from accounts.folding import fold_text
from accounts.gateways.contract import Recipient
from accounts.gateways.installed import get_gateway
from accounts.local_days import to_local_date
from accounts.models import Payee
from accounts.services.payees import choose_recipient_id, find_recipients, normalise_phone
from accounts.vault import digest_target
from functions.arguments import Args
from functions.context import Ctx
from functions.dependencies import SBP, ask_dependency
from functions.enums import HandleKind
from functions.errors import Code
from functions.fields import Day, MaskedName, MaskedNumber, PublicName, SearchText
from functions.naming import LAST_DIGITS, mask_digits, mask_person, name_payee
from functions.registry import read
from functions.results import Result

MOST_FOUND = 5
# Payees looked through by name; whoever has more names the bank or the phone.
MOST_PAYEES = 500
# Russian case endings: "Ивану" and "Иван" agree in all but the last two letters.
ENDING_LENGTH = 2
LEAST_STEM = 3
QUOTES = str.maketrans("«»\"'„“”", "       ")


class PayeeSource(StrEnum):
    """`saved`: the customer's own payee; `sbp`: the payment system said who answers to the phone."""

    SAVED = "saved"
    SBP = "sbp"


class FindPayee(Args):
    """A name or a phone, and perhaps the bank."""

    query: SearchText = Field(description="Имя получателя или ссылка phone_1 на телефон из сообщения клиента")
    bank: SearchText | None = Field(default=None, description="Название банка получателя, если клиент его назвал")


class PayeeView(Result):
    """One payee; give `payee` (and `bank` for a phone) to transfer_by_phone."""

    payee: str
    name: MaskedName
    bank: PublicName | None = None
    phone_hint: MaskedNumber | None = None
    last_paid_on: Day | None = None
    source: PayeeSource


class PayeesFound(Result):
    """At most 5 payees, the last paid first; with several the customer must choose."""

    ROWS = "payees"

    payees: list[PayeeView]
    total_count: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to pay: `payee` saved, or made up from what the payment system said of a phone."""

    payee: Payee
    name: str
    bik: str
    bank: str
    is_saved: bool


@read(
    "find_payee",
    version=1,
    scopes={"payees"},
    label=_("Looking for the payee"),
    examples=[
        ("найди Ивана", {"query": "Иван"}),
        ("кому принадлежит этот номер?", {"query": "phone_1"}),
        ("переводил ли я Марии в Примерный банк?", {"query": "Мария", "bank": "Примерный"}),
    ],
)
def find_payee(ctx: Ctx, a: FindPayee) -> PayeesFound:
    """Ищет получателя перевода: по имени среди сохранённых получателей клиента или по телефону (ссылка phone_1) в
    системе быстрых платежей. Возвращает до 5 получателей: ссылку, имя с инициалом, банк, когда платили. Если их
    несколько, спроси клиента, кому именно.
    """
    candidates = list_phone_candidates(ctx, a.query) if ctx.is_phone(a.query) else list_named(ctx, a.query)
    found = [candidate for candidate in candidates if is_bank_meant(candidate, a.bank)]
    if not found:
        ctx.refuse(
            Code.PAYEE_NOT_FOUND,
            "Такого получателя нет среди сохранённых, и по телефону никто не найден.",
            fix="Попроси клиента уточнить имя или написать телефон получателя.",
        )
    if len(found) > MOST_FOUND:
        choices = [show_candidate(ctx, candidate, a.query).model_dump(mode="json") for candidate in found[:MOST_FOUND]]
        ctx.refuse(
            Code.AMBIGUOUS_REFERENCE,
            "Подходит слишком много получателей.",
            fix="Попроси клиента назвать банк или телефон получателя.",
            details={"choices": choices, "total_count": len(found)},
        )
    shown = [show_candidate(ctx, candidate, a.query) for candidate in found]
    return PayeesFound(payees=shown, total_count=len(shown))


@find_payee.prepare
def ask_who_answers(ctx: Ctx, a: FindPayee) -> Sequence[Recipient]:
    """Ask the payment system, when a phone is meant."""
    return ask_recipients(ctx, a.query) if ctx.is_phone(a.query) else ()


def ask_recipients(ctx: Ctx, handle: str) -> Sequence[Recipient]:
    """Return who answers to the phone; nobody for what is no phone. Not inside a transaction.

    Raises: GatewayUnavailable, CallRefused temporarily_unavailable while the payment system is not asked
    """
    phone = ctx.resolve_phone(handle)
    with ask_dependency(SBP):
        try:
            return find_recipients(get_gateway(), phone)
        except (PayeeUnavailable, RequisitesMalformed):
            return ()


def read_phone_handle(ctx: Ctx, text: str) -> str:
    """Return the handle as it is written properly: "phone_1"; "" when it is none of a phone."""
    found = ctx.handles.find_kind(text, HandleKind.PHONE)
    return "" if found is None else found.text


def list_named(ctx: Ctx, query: str) -> list[Candidate]:
    """Return the saved payees whose name has every word of the query in some case; one query."""
    words = fold_text(ctx.restore(query)).replace(".", " ").split()
    rows = ctx.payees.filter(kind=PayeeKind.SBP)[:MOST_PAYEES]
    return [build_saved(payee) for payee in rows if words and matches_name(words, payee.shown_name)]


def matches_name(words: Sequence[str], name: str) -> bool:
    parts = fold_text(name).replace(".", " ").split()
    return all(any(is_same_word(word, part) for part in parts) for word in words)


def is_same_word(word: str, part: str) -> bool:
    """Tell whether two words are one but for the case ending; an initial stands for any word it begins."""
    if len(part) == 1 or len(word) == 1:
        return part[0] == word[0]
    stem = word[: max(LEAST_STEM, len(word) - ENDING_LENGTH)]
    return part.startswith(stem) or word.startswith(part[: max(LEAST_STEM, len(part) - ENDING_LENGTH)])


def list_phone_candidates(ctx: Ctx, handle: str) -> list[Candidate]:
    """Return the banks where the phone takes transfers; a saved payee stands for its bank. One query.

    `ctx.prepared` holds what the payment system said.
    """
    phone = ctx.resolve_phone(handle)
    try:
        digest = digest_target(PayeeKind.SBP, normalise_phone(phone))
    except RequisitesMalformed:
        return []
    saved = [build_saved(payee) for payee in ctx.payees.filter(kind=PayeeKind.SBP, target_digest=digest)]
    known = {candidate.bik for candidate in saved}
    recipients = ctx.prepared if isinstance(ctx.prepared, Sequence) else ()
    new = [build_new(ctx, phone, digest, one) for one in recipients if one.bik not in known]
    return saved + new


def build_saved(payee: Payee) -> Candidate:
    bank = mask_digits(payee.bank.name) if payee.bank else ""
    return Candidate(payee=payee, name=name_payee(payee), bik=payee.bank_id or "", bank=bank, is_saved=True)


def build_new(ctx: Ctx, phone: str, digest: str, recipient: Recipient) -> Candidate:
    """Return somebody nobody saved, with the id that saving will give."""
    payee = Payee(
        public_id=choose_recipient_id(ctx.customer.pk, phone, recipient.bik),
        customer=ctx.customer,
        kind=PayeeKind.SBP,
        target_digest=digest,
    )
    name = mask_person(recipient.shown_name)
    bank = mask_digits(recipient.bank_name)
    return Candidate(payee=payee, name=name, bik=recipient.bik, bank=bank, is_saved=False)


def is_bank_meant(candidate: Candidate, bank: str | None) -> bool:
    """Tell whether the words the customer used for the bank fit its name."""
    if bank is None:
        return True
    parts = split_bank(candidate.bank)
    words = [word for word in split_bank(bank) if len(word) >= LEAST_STEM and not word.startswith("банк")]
    return all(any(is_same_word(word, part) for part in parts) for word in words)


def split_bank(name: str) -> list[str]:
    return fold_text(name.translate(QUOTES)).split()


def show_candidate(ctx: Ctx, candidate: Candidate, query: str) -> PayeeView:
    payee = candidate.payee
    hint = f"{LAST_DIGITS}{payee.target_hint}" if candidate.is_saved and payee.target_hint else None
    paid_on = to_local_date(payee.last_paid_at, ctx.zone) if payee.last_paid_at else None
    return PayeeView(
        payee=ctx.handle_for(payee) if candidate.is_saved else read_phone_handle(ctx, query),
        name=candidate.name,
        bank=candidate.bank or None,
        phone_hint=hint,
        last_paid_on=paid_on,
        source=PayeeSource.SAVED if candidate.is_saved else PayeeSource.SBP,
    )
