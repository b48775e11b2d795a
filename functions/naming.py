"""How the model, and through it the customer, is told which account, card or person is meant: masked. Pure."""

from accounts.folding import MERCHANT_LENGTH, clean_untrusted
from accounts.models import Account, Card, Payee
from audit.redaction import redact_text

LAST_DIGITS = "··"
TITLE_LENGTH = 64


def name_account(account: Account) -> str:
    """Return "Накопительный ··4821"."""
    return f"{clean_untrusted(account.title, TITLE_LENGTH)} {LAST_DIGITS}{account.last4}"


def name_card(card: Card) -> str:
    """Return "МИР ··4821"."""
    return f"МИР {LAST_DIGITS}{card.last4}"


def name_payee(payee: Payee) -> str:
    """Return the payee's name, masked again by us: other banks do not always."""
    return mask_person(payee.shown_name)


def mask_person(name: str) -> str:
    """Return a person's name with every word after the first cut to its letter: "Иван Петров" is "Иван П.".

    Digits in it (a payee whose name is a phone number) are redacted first.
    """
    words = redact_text(clean_untrusted(name, MERCHANT_LENGTH)).split()
    return " ".join([*words[:1], *(f"{word[0]}." for word in words[1:3])])
