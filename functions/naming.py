"""How the model, and through it the customer, is told which account, card or person is meant: masked. Pure."""

import re

from accounts.folding import MERCHANT_LENGTH, clean_untrusted
from accounts.models import Account, Bill, Card, Payee
from functions.fields import LONG_DIGITS
from functions.privacy.untrusted import clean_stranger_text

WORD = re.compile(r"(?<!\w)[^\W\d_]+(?:-[^\W\d_]+)*(?!\w)")
LAST_DIGITS = "··"
SHOWN_DIGITS = 4
TITLE_LENGTH = 64


def name_account(account: Account) -> str:
    """Return "Накопительный ··4821"."""
    return f"{mask_digits(clean_untrusted(account.title, TITLE_LENGTH))} {LAST_DIGITS}{account.last4}"


def name_card(card: Card) -> str:
    """Return "МИР ··4821"."""
    return f"МИР {LAST_DIGITS}{card.last4}"


def name_biller(bill: Bill) -> str:
    """Return the biller's name for the customer; to the model it is a stranger's text."""
    return mask_digits(clean_stranger_text(bill.biller.name, MERCHANT_LENGTH))


def name_payee(payee: Payee) -> str:
    """Return the payee's name, masked again by us: other banks do not always."""
    return mask_person(payee.shown_name)


def mask_digits(text: str) -> str:
    """Return a company's or an account's name with every long number cut to its last digits: "Договор ··5678"."""
    return LONG_DIGITS.sub(lambda found: f"{LAST_DIGITS}{found[0][-SHOWN_DIGITS:]}", text)


def mask_person(name: str) -> str:
    """Return the first name and one letter: "Иван Петров" is "Иван П."; "Получатель" when no word is in it.

    Only letters and hyphens are kept: a payee's name may be a phone number, or try to be something else.
    """
    words = WORD.findall(clean_untrusted(name, MERCHANT_LENGTH))
    if not words:
        return "Получатель"
    return words[0] if len(words) == 1 else f"{words[0]} {words[-1][0].upper()}."


def describe_requisites(account: Account) -> str:
    """Return the whole requisites on one line, for the customer's eyes only; bank and holder must be loaded."""
    holder, bank = account.customer, account.bank
    owner = f"{holder.last_name} {holder.first_name} {holder.patronymic}".strip() if holder else ""
    return f"получатель {owner}, счёт {account.number}, БИК {account.bank_id}, банк {bank.name if bank else ''}"
