"""What staff sees of the evidence; `ReadOnlyAdmin` is the base of every admin page of the project."""

from audit.readonly import ReadOnlyAdmin

__all__ = ["ReadOnlyAdmin"]
