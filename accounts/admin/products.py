"""What staff sees of cards, payees and bills. Numbers and phones by their last digits only."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.admin.columns import VIEW_ACCOUNT, VIEW_CUSTOMER, VIEW_OPERATION, show_minor, show_money
from accounts.admin.public_ids import PublicIdAdmin, filter_by_public_id
from accounts.enums import CardLimit
from accounts.models import Account, Bill, Card, Payee
from accounts.services.cards import get_card_limit
from audit.list_filters import filter_by_choice, filter_by_id, filter_by_period
from audit.readonly import RelatedPage, link_to_list, link_to_row, show_column


@admin.display(description=_("number"))
def show_card_number(card: Card) -> str:
    return f"··{card.last4}"


@admin.display(description=_("target"))
def show_target(payee: Payee) -> str:
    return f"··{payee.target_hint}" if payee.target_hint else ""


@admin.display(description=_("customer's limits"))
def show_limits(card: Card) -> str:
    """The customer's own limits, those that are set."""
    found = [(limit, get_card_limit(card, limit)) for limit in CardLimit]
    return "; ".join(f"{limit.label}: {show_money(amount)}" for limit, amount in found if amount is not None)


@admin.register(Card)
class CardAdmin(PublicIdAdmin):
    """Cards."""

    keyset_field = "issued_at"
    list_display = ("issued_at", "public_id", show_card_number, "account", "system", "status", "expires_on")
    list_filter = (
        filter_by_period("issued_at"),
        filter_by_public_id("account", Account, "account_id", _("account")),
        filter_by_id("customer", "account__customer_id", _("customer")),
        filter_by_choice("status", _("status")),
    )
    list_select_related = ("account",)
    search_help_text = _("The exact id of a card.")
    fields: ClassVar[Any] = (
        "public_id",
        show_card_number,
        show_column("account", _("account")),
        "system",
        "status",
        "expires_on",
        "issued_at",
        show_limits,
    )

    @override
    def list_related(self, row: Card) -> list[RelatedPage]:
        return [link_to_row("accounts_account", _("account"), VIEW_ACCOUNT, row.account.public_id)]


@admin.register(Payee)
class PayeeAdmin(PublicIdAdmin):
    """Payees; the phone or number itself is never shown."""

    list_display = ("created_at", "public_id", "customer_id", "kind", "shown_name", show_target, "bank", "last_paid_at")
    list_filter = (
        filter_by_period("created_at"),
        filter_by_id("customer", "customer_id", _("customer")),
        filter_by_choice("kind", _("kind")),
    )
    list_select_related = ("bank",)
    search_ids = ("public_id", "customer_id")
    search_help_text = _("The exact id of a payee or customer.")
    fields: ClassVar[Any] = (
        "public_id",
        "customer",
        "kind",
        "shown_name",
        show_target,
        "bank",
        "origin",
        "created_at",
        "first_paid_at",
        "last_paid_at",
    )

    @override
    def list_related(self, row: Payee) -> list[RelatedPage]:
        return [link_to_row("accounts_customer", _("customer"), VIEW_CUSTOMER, row.customer_id)]


@admin.register(Bill)
class BillAdmin(PublicIdAdmin):
    """Bills and the operations that pay them."""

    keyset_field = "issued_at"
    list_display = (
        "issued_at",
        "public_id",
        "customer_id",
        "biller",
        show_minor("amount_minor", _("amount")),
        "due_on",
        "status",
        "paid_at",
    )
    list_filter = (
        filter_by_period("issued_at"),
        filter_by_id("customer", "customer_id", _("customer")),
        filter_by_choice("status", _("status")),
    )
    list_select_related = ("biller",)
    search_ids = ("public_id", "customer_id")
    search_help_text = _("The exact id of a bill or customer.")
    fields: ClassVar[Any] = (
        "public_id",
        "customer",
        "biller",
        show_minor("amount_minor", _("amount")),
        "period_start",
        "due_on",
        "status",
        "issued_at",
        "paid_at",
        "details_untrusted",
    )

    @override
    def list_related(self, row: Bill) -> list[RelatedPage]:
        return [
            link_to_row("accounts_customer", _("customer"), VIEW_CUSTOMER, row.customer_id),
            link_to_list("accounts_operation", _("operations"), VIEW_OPERATION, bill=row.public_id),
        ]
