"""How much care a payment needs, by rules: docs/functions.md "Risk". The model has no say in it."""

from dataclasses import dataclass

from accounts.models import Payee
from accounts.money import Money
from accounts.selectors.operations import find_largest_payment
from accounts.services.antifraud import list_signs
from functions.context import Ctx
from functions.enums import PlanWarning, Risk
from functions.privacy.provenance import Origin, prove_amount, prove_memo, prove_payee

# A payment above this asks for all care, whoever gets it.
LARGE = Money(100_000_00)
# So many times more than ever went to the same payee is unusual.
UNUSUAL_TIMES = 3
Codes = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the plan of a payment to somebody carries."""

    risk: Risk
    warnings: Codes
    origins: Codes
    needs_payee: bool
    memo: str


def assess_payment(ctx: Ctx, payee: Payee, amount: Money, *, target: str, is_saved: bool, memo: str) -> Assessment:
    """Weigh a payment to a person; two to four queries.

    payee     saved, or made up for a phone nobody saved
    target    the phone in the open when the customer named one; "" when a saved payee was picked
    memo      the message the model wants to send
    """
    payee_proof = prove_payee(target, customer_texts=ctx.customer_texts, is_saved=is_saved)
    memo_proof = prove_memo(memo, ctx.customer_texts)
    amount_origin, warnings = describe_amount_origin(ctx, amount)
    signs = list_signs(ctx.customer, payee, amount, ctx.now)
    found = [*list_payee_warnings(payee, amount), *warnings]
    if not payee_proof.is_proven:
        found.append(PlanWarning.PAYEE_NOT_PROVEN)
    if memo_proof.origin == Origin.MEMO_DROPPED:
        found.append(PlanWarning.MEMO_DROPPED)
    if signs:
        found.append(PlanWarning.FRAUD_SIGNS)
    return Assessment(
        risk=choose_risk(found),
        warnings=tuple(str(warning) for warning in found),
        origins=(str(payee_proof.origin), str(memo_proof.origin), amount_origin),
        needs_payee=not payee_proof.is_proven,
        memo=memo_proof.text,
    )


def list_payee_warnings(payee: Payee, amount: Money) -> list[PlanWarning]:
    """Return what is unusual in paying so much to this payee."""
    found = []
    if payee.first_paid_at is None:
        found.append(PlanWarning.NEW_PAYEE)
    if amount > LARGE:
        found.append(PlanWarning.LARGE_AMOUNT)
    most = None if payee.pk is None else find_largest_payment(payee, amount.currency)
    if most is not None and amount.minor > UNUSUAL_TIMES * most.minor:
        found.append(PlanWarning.UNUSUAL_AMOUNT)
    return found


def choose_risk(warnings: list[PlanWarning | str]) -> Risk:
    if PlanWarning.FRAUD_SIGNS in warnings:
        return Risk.SUSPECT
    careful = {
        PlanWarning.NEW_PAYEE,
        PlanWarning.LARGE_AMOUNT,
        PlanWarning.UNUSUAL_AMOUNT,
        PlanWarning.PAYEE_NOT_PROVEN,
    }
    return Risk.HIGH if careful & set(warnings) else Risk.MEDIUM


def describe_amount_origin(ctx: Ctx, amount: Money, *, bill: Money | None = None) -> tuple[str, Codes]:
    """Return where the amount came from, and the warning when the customer never wrote it."""
    proof = prove_amount(amount, customer_texts=ctx.customer_texts, bill=bill)
    return str(proof.origin), () if proof.is_proven else (str(PlanWarning.AMOUNT_NOT_SAID),)
