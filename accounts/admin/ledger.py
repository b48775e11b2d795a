"""What staff sees of the ledger: accounts, their statements, entries and holds. Nothing here moves money."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.admin.columns import (
    VIEW_CARD,
    VIEW_CUSTOMER,
    VIEW_EVIDENCE,
    VIEW_LINE,
    VIEW_OPERATION,
    show_balance,
    show_masked_number,
    show_minor,
)
from accounts.admin.public_ids import PublicIdAdmin, filter_by_public_id
from accounts.enums import EntryPhase
from accounts.models import Account, AccountLine, Entry, Operation
from audit.list_filters import filter_by_choice, filter_by_id, filter_by_period
from audit.readonly import ReadOnlyAdmin, RelatedPage, link_to_list, link_to_row, show_column

OPEN = "open"


class OpenHoldFilter(admin.SimpleListFilter):
    """Holds that nothing has resolved yet."""

    title = _("hold")
    parameter_name = OPEN

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("open"))]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        is_asked = self.value() == "1"
        return queryset.filter(phase=EntryPhase.PENDING, resolution__isnull=True) if is_asked else queryset


@admin.register(Account)
class AccountAdmin(PublicIdAdmin):
    """Accounts; numbers by their last digits, balances as the counters have them."""

    keyset_field = "opened_at"
    list_display = (
        "opened_at",
        "public_id",
        show_masked_number,
        "title",
        "kind",
        "currency",
        "status",
        show_balance("booked", _("booked")),
        show_balance("available", _("available")),
    )
    list_filter = (
        filter_by_period("opened_at"),
        filter_by_id("customer", "customer_id", _("customer")),
        filter_by_choice("status", _("status")),
        filter_by_choice("kind", _("kind")),
    )
    search_ids = ("public_id", "customer_id", "code")
    search_help_text = _("The exact id of an account or customer, or the code of one of the bank's own.")
    list_select_related = False
    fields: ClassVar[Any] = (
        "public_id",
        "customer",
        show_masked_number,
        "bank",
        "title",
        "kind",
        "side",
        "currency",
        "status",
        show_balance("booked", _("booked")),
        show_balance("available", _("available")),
        show_balance("expected", _("expected")),
        show_balance("held_out", _("held, outgoing")),
        show_balance("held_in", _("held, incoming")),
        show_minor("overdraft_limit", _("overdraft limit")),
        show_minor("debits_posted", _("debits posted")),
        show_minor("credits_posted", _("credits posted")),
        "opened_at",
        "closed_at",
    )

    @override
    def list_related(self, row: Account) -> list[RelatedPage]:
        statement = link_to_list("accounts_accountline", _("statement"), VIEW_LINE, account=row.public_id)
        if row.customer_id is None:
            return []
        return [
            statement,
            link_to_list("accounts_card", _("cards"), VIEW_CARD, account=row.public_id),
            link_to_row("accounts_customer", _("customer"), VIEW_CUSTOMER, row.customer_id),
            link_to_list("audit_auditentry", _("audit entries"), VIEW_EVIDENCE, customer=row.customer_id),
        ]


@admin.register(AccountLine)
class AccountLineAdmin(PublicIdAdmin):
    """The statement of one account, chosen by the filter; all accounts at once have no index to read by."""

    keyset_field = "booked_at"
    list_display = (
        "booked_at",
        "public_id",
        "status",
        "direction",
        show_minor("amount_minor", _("amount")),
        show_minor("balance_after", _("balance after")),
        "category",
        "merchant",
        "counterparty_name",
        "memo_untrusted",
    )
    list_filter = (
        filter_by_public_id("account", Account, "account_id", _("account")),
        filter_by_public_id("operation", Operation, "operation_id", _("operation")),
        filter_by_period("booked_at"),
        filter_by_choice("status", _("status")),
    )
    search_help_text = _("The exact id of a line.")
    list_select_related = False
    fields: ClassVar[Any] = (
        "public_id",
        show_column("account", _("account")),
        show_column("operation", _("operation")),
        "status",
        "direction",
        show_minor("amount_minor", _("amount")),
        show_minor("balance_after", _("balance after")),
        "booked_at",
        "value_at",
        "category",
        "mcc",
        "merchant",
        "counterparty_name",
        "counterparty_bank",
        "memo_untrusted",
    )

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountLine]:
        rows: QuerySet[AccountLine] = super().get_queryset(request)
        is_list = request.resolver_match is not None and request.resolver_match.url_name == (
            "accounts_accountline_changelist"
        )
        is_narrow = any(request.GET.get(name) for name in ("account", "operation", "q"))
        return rows.none() if is_list and not is_narrow else rows.select_related("operation", "account")

    @override
    def list_related(self, row: AccountLine) -> list[RelatedPage]:
        return [
            link_to_row("accounts_operation", _("operation"), VIEW_OPERATION, row.operation.public_id),
            link_to_list("accounts_accountline", _("statement"), VIEW_LINE, account=row.account.public_id),
        ]


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Entries; with `open=1` the holds that nothing has resolved yet."""

    list_display = (
        "created_at",
        "id",
        "phase",
        "operation",
        "debit",
        "credit",
        show_minor("amount_minor", _("amount")),
        "expires_at",
    )
    list_filter = (
        filter_by_period("created_at"),
        filter_by_public_id("operation", Operation, "operation_id", _("operation")),
        filter_by_id("customer", "operation__customer_id", _("customer")),
        filter_by_choice("phase", _("phase")),
        OpenHoldFilter,
    )
    list_select_related = ("operation", "debit", "credit")
    search_ids = ("pk", "operation__public_id")
    search_help_text = _("The exact id of an entry or operation.")
    fields: ClassVar[Any] = (
        "id",
        show_column("operation", _("operation")),
        "seq",
        "phase",
        show_column("debit", _("debit")),
        show_column("credit", _("credit")),
        show_minor("amount_minor", _("amount")),
        "resolves",
        "expires_at",
        "created_at",
    )

    @override
    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == OPEN or super().lookup_allowed(lookup, value, request)

    @override
    def list_related(self, row: Entry) -> list[RelatedPage]:
        return [link_to_row("accounts_operation", _("operation"), VIEW_OPERATION, row.operation.public_id)]
