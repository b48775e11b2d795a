"""Requisites behind their placeholder: the model writes ⟦acc_1.requisites⟧, the customer reads the account's number."""

from accounts.selectors.owned import find_accounts
from functions.enums import HandleKind
from functions.handles import HandleTable
from functions.naming import describe_requisites


def name_requisites(handle: str) -> str:
    """Return the placeholder's text, without its marks."""
    return f"{handle}.requisites"


def reveal_requisites(table: HandleTable) -> None:
    """Let the table know the requisites of every account it has a handle of; one query, none without such handles.

    For whoever shows an answer to the customer; a call that asks for requisites reveals them by itself.
    """
    handles = {row.reference: row.text for row in table if row.kind == HandleKind.ACCOUNT}
    if not handles:
        return
    for account in find_accounts(table.customer_id).filter(public_id__in=list(handles)):
        table.reveal(name_requisites(handles[str(account.public_id)]), describe_requisites(account))
