"""What the accounts app stores."""

from accounts.models.account import Account
from accounts.models.bank_directory import BankDirectory
from accounts.models.bill import Bill, Biller
from accounts.models.cap import CapUsage
from accounts.models.card import Card
from accounts.models.customer import Customer
from accounts.models.device_key import DeviceKey
from accounts.models.entry import Entry
from accounts.models.gateway import FlaggedTarget, GatewayOrder, Suspension
from accounts.models.line import AccountLine
from accounts.models.operation import Operation, RefusedOrder
from accounts.models.payee import Payee
from accounts.models.request import Dispute, StatementRequest
from accounts.models.schedule import ScheduledPayment, Subscription
from accounts.models.session import DeviceSession, RefreshToken
from accounts.models.tariff import LimitRule, Rate, Tariff

__all__ = [
    "Account",
    "AccountLine",
    "BankDirectory",
    "Bill",
    "Biller",
    "CapUsage",
    "Card",
    "Customer",
    "DeviceKey",
    "DeviceSession",
    "Dispute",
    "Entry",
    "FlaggedTarget",
    "GatewayOrder",
    "LimitRule",
    "Operation",
    "Payee",
    "Rate",
    "RefreshToken",
    "RefusedOrder",
    "ScheduledPayment",
    "StatementRequest",
    "Subscription",
    "Suspension",
    "Tariff",
]
