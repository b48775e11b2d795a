"""Filters of staff lists that a person types: an exact id and a period. Both are served by an index."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ChoicesFieldListFilter, ListFilter, ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from audit.errors import ExportRefused
from audit.export.filters import parse_id, parse_moment


class TypedFilter(ListFilter, ABC):
    """A filter whose values a person types into `names`; a value that cannot be read finds nothing and says why."""

    names: ClassVar[tuple[str, ...]]
    labels: ClassVar[tuple[Any, ...]]
    input_type: ClassVar[str] = "text"
    template = "audit/typed_filter.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: "ModelAdmin[Any]"
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    @override
    def has_output(self) -> bool:
        return True

    @override
    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """Yield one item: the inputs, and what the form must carry along from the other filters."""
        others = [
            (name, value)
            for name, values in changelist.filter_params.items()
            if name not in self.names
            for value in values
        ]
        fields = [
            (name, label, self.used_parameters.get(name, ""))
            for name, label in zip(self.names, self.labels, strict=True)
        ]
        yield {"fields": fields, "hidden": others, "input_type": self.input_type}

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        typed = {name: str(value) for name, value in self.used_parameters.items()}
        try:
            return queryset.filter(**self.build_lookups(typed))
        except ExportRefused as error:
            messages.error(request, f"{self.title}: {error.rule}")
            return queryset.none()

    @abstractmethod
    def build_lookups(self, values: dict[str, str]) -> dict[str, Any]:
        """Return the conditions of what was typed.

        Raises: ExportRefused
        """


class ExactIdFilter(TypedFilter):
    """Rows whose `lookup` is the id typed."""

    lookup: ClassVar[str]

    @override
    def build_lookups(self, values: dict[str, str]) -> dict[str, Any]:
        found = parse_id(self.names[0], values.get(self.names[0], ""))
        return {} if found is None else {self.lookup: found}


class PeriodFilter(TypedFilter):
    """Rows whose `field` lies in the period typed; a day as its end is included."""

    title = _("period (UTC)")
    names = ("from", "to")
    labels = (_("From"), _("To"))
    input_type = "date"
    field: ClassVar[str]

    @override
    def build_lookups(self, values: dict[str, str]) -> dict[str, Any]:
        bounds: dict[str, datetime | None] = {
            f"{self.field}__gte": parse_moment("from", values.get("from", "")),
            f"{self.field}__lt": parse_moment("to", values.get("to", ""), day_offset=1),
        }
        return {lookup: moment for lookup, moment in bounds.items() if moment is not None}


def filter_by_id(parameter: str, lookup: str, label: Any) -> type[ExactIdFilter]:
    """Return the filter class that reads the query parameter `parameter` as the id in `lookup`."""
    return type(
        f"{parameter.title()}Filter",
        (ExactIdFilter,),
        {"title": label, "names": (parameter,), "labels": (label,), "lookup": lookup},
    )


def filter_by_choice(field: str, label: Any) -> tuple[str, type[ChoicesFieldListFilter]]:
    """Return the entry of `list_filter` for a field with choices, under our own label."""

    class LabelledFilter(ChoicesFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = label

    return field, LabelledFilter


def filter_by_period(time_field: str) -> type[PeriodFilter]:
    """Return the filter class for the period of `time_field`."""
    return type("TimeFilter", (PeriodFilter,), {"field": time_field})
