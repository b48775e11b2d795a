"""Staff pages of rows that are known outside by a public id: in addresses, links, searches and filters."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from typing_extensions import override

from audit.export.filters import parse_id
from audit.list_filters import ExactIdFilter
from audit.readonly import KeysetChangeList, ReadOnlyAdmin

NOBODY = -1


class PublicIdChangeList(KeysetChangeList):
    """Links rows by their public id."""

    @override
    def url_for_result(self, result: Any) -> str:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return reverse(f"admin:{name}_change", args=[result.public_id], current_app=self.model_admin.admin_site.name)


class PublicIdAdmin(ReadOnlyAdmin):
    """Base of our pages of the bank: no integer key in an address."""

    search_ids: ClassVar[tuple[str, ...]] = ("public_id",)

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PublicIdChangeList

    @override
    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        try:
            public_id = UUID(object_id)
        except ValueError:
            return None
        return self.get_queryset(request).filter(public_id=public_id).first()


class PublicIdFilter(ExactIdFilter):
    """Rows that point at the row with the public id typed.

    The key is looked up first: joined, the other table's column would not let an index give the rows in order.
    """

    target: ClassVar[type[Model]]

    @override
    def build_lookups(self, values: dict[str, str]) -> dict[str, Any]:
        public_id = parse_id(self.names[0], values.get(self.names[0], ""))
        if public_id is None:
            return {}
        row = self.target._default_manager.filter(public_id=public_id).first()
        return {self.lookup: NOBODY if row is None else row.pk}


def filter_by_public_id(parameter: str, target: type[Model], lookup: str, label: Any) -> type[PublicIdFilter]:
    """Return the filter class that reads `parameter` as a public id of `target` and filters `lookup` by its key."""
    return type(
        f"{parameter.title()}Filter",
        (PublicIdFilter,),
        {"title": label, "names": (parameter,), "labels": (label,), "lookup": lookup, "target": target},
    )
