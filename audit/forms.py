"""The form of an export in the staff site."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from audit.enums import AuditAction
from audit.errors import ExportRefused
from audit.export.filters import OPTIONS, EntryFilter, parse_filter
from audit.export.formats import ExportFormat


class ExportForm(forms.Form):
    """Asks what to export; `chosen` holds the filter once the form is valid.

    The fields bear the names of the command's options, which are also those of the list's filters.
    """

    format = forms.ChoiceField(label=_("Format"), choices=ExportFormat.choices, initial=ExportFormat.JSONL)
    to = forms.CharField(label=_("To"), required=False, help_text=_("A day is included; a time is the first left out."))
    customer = forms.CharField(label=_("Customer"), required=False)
    action = forms.ChoiceField(
        label=_("Action"), required=False, choices=[("", _("all")), *((a.value, a.label) for a in AuditAction)]
    )
    conversation = forms.CharField(label=_("Conversation"), required=False)
    field_order = ("format", "from", "to", "customer", "action", "conversation")

    chosen: EntryFilter

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A keyword of Python cannot be declared above.
        self.fields["from"] = forms.CharField(
            label=_("From"), required=False, help_text=_("ISO date or time, UTC: 2026-01-31 or 2026-01-31T15:00:00Z")
        )
        self.order_fields(self.field_order)

    @override
    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        try:
            self.chosen = parse_filter({name: values.get(name, "") for name in OPTIONS})
        except ExportRefused as error:
            self.add_error(error.option, error.rule)
        return values
