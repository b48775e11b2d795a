"""Every action that can be recorded has a rule, in both directions."""

from django.utils import translation

from audit.catalogue import ENTRY_RULES
from audit.enums import AuditAction


def test_catalogue_has_exactly_one_rule_for_every_action() -> None:
    assert set(ENTRY_RULES) == set(AuditAction)


def test_actions_are_subject_dot_fact() -> None:
    assert all(action.value.count(".") == 1 and action.value.islower() for action in AuditAction)


def test_every_action_has_a_russian_name() -> None:
    english = {action: str(action.label) for action in AuditAction}
    with translation.override("ru"):
        untranslated = [action.value for action in AuditAction if str(action.label) == english[action]]

    assert untranslated == []
