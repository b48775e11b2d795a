"""The base of every list and page that staff reads.

Rules live in services, above the models, so editing a row in the admin would go round them and round the evidence:
nothing here can add, change or delete. Lists are paged by keyset and searched by exact id, because a
`COUNT(*)`, an `OFFSET` or a `LIKE '%x%'` over millions of rows takes the site down.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin, ShowFacets, display
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from audit.keyset import Keyset, Page
from audit.list_filters import TypedFilter

if TYPE_CHECKING:
    AnyModelAdmin = ModelAdmin[Any]
else:
    # Django's class becomes generic only for the type checker.
    AnyModelAdmin = ModelAdmin

AFTER = "after"
BEFORE = "before"


@dataclass(frozen=True, slots=True)
class RelatedPage:
    """A link from one row to another page, shown to those who hold `permission`."""

    label: Any
    url: str
    permission: str


class KeysetChangeList(ChangeList):
    """A change list that reads one page by cursor and counts nothing."""

    model_admin: "ReadOnlyAdmin"
    page: Page[Model]

    @override
    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        # The cursor belongs to one page: links to filters and searches must not carry it along.
        for name in (AFTER, BEFORE):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        return super().get_queryset(request, exclude_parameters)

    @override
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        return list(self.model_admin.keyset.ordering)

    @override
    def get_results(self, request: HttpRequest) -> None:
        self.page = self.model_admin.keyset.read_page(
            self.queryset,
            size=self.list_per_page,
            after=request.GET.get(AFTER, ""),
            before=request.GET.get(BEFORE, ""),
        )
        self.result_list = self.page.rows
        self.result_count = self.full_result_count = len(self.page.rows)
        self.show_full_result_count = False
        self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = None

    @property
    def newer_url(self) -> str:
        return self.get_query_string({BEFORE: self.page.newer}) if self.page.newer else ""

    @property
    def older_url(self) -> str:
        return self.get_query_string({AFTER: self.page.older}) if self.page.older else ""


class ReadOnlyAdmin(AnyModelAdmin):
    """Base of our model admins: read, never write.

    keyset_field     time column of the order, newest first; an index (keyset_field, pk) must exist
    search_ids       indexed columns tried in order for an exact match of the search text
    """

    keyset_field: ClassVar[str] = "created_at"
    search_ids: ClassVar[tuple[str, ...]] = ("pk",)

    actions = None
    list_per_page = 50
    sortable_by = ()
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    search_help_text = _("An exact id.")
    change_list_template = "audit/change_list.html"
    change_form_template = "audit/change_form.html"

    @property
    def keyset(self) -> Keyset:
        return Keyset(self.keyset_field)

    @override
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    @override
    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.search_ids

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Filter by the first column that knows the text: one indexed condition, never an OR over several."""
        text = search_term.strip()
        if not text:
            return queryset, False
        for name in self.search_ids:
            value = parse_lookup(self.model, name, text)
            if value is not None and self.model._default_manager.filter(**{name: value}).exists():
                return queryset.filter(**{name: value}), False
        return queryset.none(), False

    @override
    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only what `list_filter` offers; Django would allow any column, `text__contains` included."""
        allowed: set[str] = set()
        for item in self.list_filter:
            if isinstance(item, type) and issubclass(item, TypedFilter):
                allowed.update(item.names)
            else:
                field = item[0] if isinstance(item, tuple) else item
                allowed.add(f"{field}__exact")
        return lookup in allowed

    def list_related(self, row: Any) -> list[RelatedPage]:  # noqa: ARG002 - for subclasses
        """Return the pages that continue from `row`; the caller leaves out those the person may not open."""
        return []

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        related = self.list_related(row) if row is not None else []
        context["related_pages"] = [page for page in related if request.user.has_perm(page.permission)]
        return super().render_change_form(request, context, *args, **kwargs)


def show_columns(labels: Mapping[str, Any], *names: str) -> tuple[Callable[[Any], Any], ...]:
    """Return columns of a list or page that print attributes under our own labels, choices by their own names.

    An id of another row ("turn_id") is printed as it is, without fetching that row.
    """
    return tuple(show_column(name, labels[name]) for name in names)


def show_column(attribute: str, label: Any) -> Callable[[Any], Any]:
    """Return the column of one attribute."""

    @display(description=label)
    def show(row: Any) -> Any:
        read_choice = getattr(row, f"get_{attribute}_display", None)
        return getattr(row, attribute) if read_choice is None else read_choice()

    # The admin names CSS classes after the column.
    show.__name__ = attribute
    return show


def link_to_list(model_name: str, label: Any, permission: str, **filters: object) -> RelatedPage:
    """Return the link to the list of `model_name` ("chat_turn"), filtered."""
    return RelatedPage(label, f"{reverse(f'admin:{model_name}_changelist')}?{urlencode(filters)}", permission)


def link_to_row(model_name: str, label: Any, permission: str, key: object) -> RelatedPage:
    """Return the link to one row's page."""
    return RelatedPage(label, reverse(f"admin:{model_name}_change", args=[key]), permission)


def parse_lookup(model: type[Model], name: str, text: str) -> Any:
    """Return `text` as a value of the field that the lookup path `name` ends in; None when it cannot be one."""
    field: Any = None
    for part in name.split("__"):
        field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        model = field.related_model or model
    while field.is_relation:
        field = field.target_field
    try:
        return field.to_python(text)
    except ValidationError:
        return None
