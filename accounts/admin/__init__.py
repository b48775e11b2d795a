"""The staff's pages of the accounts app."""

from accounts.admin.customers import CustomerAdmin, DeviceSessionAdmin, LoginAdmin
from accounts.admin.device_keys import DeviceKeyAdmin
from accounts.admin.ledger import AccountAdmin, AccountLineAdmin, EntryAdmin
from accounts.admin.operations import OperationAdmin
from accounts.admin.products import BillAdmin, CardAdmin, PayeeAdmin

__all__ = [
    "AccountAdmin",
    "AccountLineAdmin",
    "BillAdmin",
    "CardAdmin",
    "CustomerAdmin",
    "DeviceKeyAdmin",
    "DeviceSessionAdmin",
    "EntryAdmin",
    "LoginAdmin",
    "OperationAdmin",
    "PayeeAdmin",
]
