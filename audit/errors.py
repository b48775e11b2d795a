"""Errors of the evidence log.

AuditError
├── EntryRefused              the entry breaks the catalogue or the value rules: a mistake in the calling code
├── OutsideTransaction        record_entry without a transaction: the act and its entry could come apart
├── RefusalInsideTransaction  record_refusal inside the act's transaction: a rollback would take the entry with it
├── ExportRefused             a filter value that cannot be understood; names the option
└── TooManyExports            this process streams as many exports as it may
"""


class AuditError(Exception):
    """Root of the audit errors."""


class EntryRefused(AuditError):
    """The entry breaks the catalogue or carries a value that has no place in evidence. Retrying does not help.

    The text names the field and the rule, never the value.
    """

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class OutsideTransaction(AuditError):
    """`record_entry` was called outside a transaction. Wrap the act in `transaction.atomic`."""


class RefusalInsideTransaction(AuditError):
    """`record_refusal` was called inside a transaction. Call it after the act has rolled back."""


class ExportRefused(AuditError):
    """An export option has a value that cannot be used; `option` is its name, `rule` what it expects."""

    def __init__(self, option: str, rule: str) -> None:
        super().__init__(f"{option}: {rule}")
        self.option = option
        self.rule = rule


class TooManyExports(AuditError):
    """The process already streams as many exports as it may. Retrying helps once one of them ended."""
