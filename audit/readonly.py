"""The base of every list and page that staff reads.

Rules live in services, above the models, so editing a row in the admin would go round them and round the evidence:
nothing here can add, change or delete. Lists are paged by keyset and searched by exact id or prefix, because a
`COUNT(*)`, an `OFFSET` or a `LIKE '%x%'` over millions of rows takes the site down.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import ModelAdmin, ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from audit.keyset import Keyset, Page

if TYPE_CHECKING:
    AnyModelAdmin = ModelAdmin[Any]
else:
    # Django's class becomes generic only for the type checker.
    AnyModelAdmin = ModelAdmin

AFTER = "after"
BEFORE = "before"


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
    search_prefixes  columns with a pattern index, tried after that for rows starting with the text (>= 3 characters)
    link_filters     lookups that other pages may put into a link to this list, beside those of `list_filter`
    """

    keyset_field: ClassVar[str] = "created_at"
    search_ids: ClassVar[tuple[str, ...]] = ("pk",)
    search_prefixes: ClassVar[tuple[str, ...]] = ()
    link_filters: ClassVar[tuple[str, ...]] = ()

    actions = None
    list_per_page = 100
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
        return (*self.search_ids, *self.search_prefixes)

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
        for name in self.search_prefixes:
            lookup = {f"{name}__startswith": text}
            if len(text) >= 3 and self.model._default_manager.filter(**lookup).exists():
                return queryset.filter(**lookup), False
        return queryset.none(), False

    @override
    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only filters that an index serves; Django would allow any column, `text__contains` included."""
        filters = {f"{name}__exact" for name in self.list_filter if isinstance(name, str)}
        return lookup in filters or lookup in self.link_filters


def parse_lookup(model: type[Model], name: str, text: str) -> Any:
    """Return `text` as a value of the field that the lookup path `name` ends in; None when it cannot be one."""
    field: Any = None
    for part in name.split("__"):
        options = model._meta
        try:
            field = options.pk if part == "pk" else options.get_field(part)
        except FieldDoesNotExist:
            return None
        model = field.related_model or model
    while field.is_relation:
        field = field.target_field
    try:
        return field.to_python(text)
    except ValidationError:
        return None
