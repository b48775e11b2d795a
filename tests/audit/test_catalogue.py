"""Every action that can be recorded has a rule, in both directions."""

from audit.catalogue import ENTRY_RULES
from audit.enums import AuditAction


def test_catalogue_has_exactly_one_rule_for_every_action() -> None:
    assert set(ENTRY_RULES) == set(AuditAction)


def test_actions_are_subject_dot_fact() -> None:
    assert all(action.value.count(".") == 1 and action.value.islower() for action in AuditAction)
