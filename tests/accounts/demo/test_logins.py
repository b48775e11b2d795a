import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from accounts.demo.logins import SeededLogin, build_password, seed_demo
from accounts.models import Customer
from accounts.services.logins import verify_login
from audit.context import build_system_context
from audit.enums import Origin
from audit.models import AuditEntry
from tests.factories.accounts import make_context, make_staff

pytestmark = pytest.mark.django_db
CONTEXT = build_system_context(Origin.COMMAND, "test")


def seed(*arguments: str) -> str:
    out = StringIO()
    call_command("seed_demo_bank", *arguments, stdout=out)
    return out.getvalue()


def read_hashes() -> dict[str, str]:
    return dict(User.objects.values_list("username", "password"))


def test_seed_demo_makes_customers_and_staff(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    logins = json.loads(seed("--json", "--passwords-file", str(path)))["logins"]
    roles = {login["username"]: login["role"] for login in logins}
    assert roles == {
        "anna": "customer",
        "boris": "customer",
        "elena": "customer",
        "officer": "compliance",
        "auditor": "auditor",
        "operator": "operator",
        "admin": "administrator",
    }
    for login in logins:
        assert User.objects.get(username=login["username"]).check_password(login["password"])
    assert list(Customer.objects.order_by("phone").values_list("user__username", "language")) == [
        ("anna", "ru"),
        ("boris", "ru"),
        ("elena", "en"),
    ]
    assert set(User.objects.filter(is_staff=True).values_list("username", "is_superuser", "groups__name")) == {
        ("officer", False, "compliance"),
        ("auditor", False, "auditor"),
        ("operator", False, "operator"),
        ("admin", True, None),
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert AuditEntry.objects.get().action == "demo.seeded"


def test_seeded_customer_signs_in_and_seeded_staff_does_not_by_phone() -> None:
    logins = {login.username: login for login in seed_demo(CONTEXT, None)}
    anna = logins["anna"]
    assert anna.password
    assert verify_login(make_context(), username="anna", password=anna.password).first_name == "Анна"


def test_seed_demo_again_changes_and_hashes_nothing(
    tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    path = tmp_path / "passwords.json"
    first = seed("--json", "--passwords-file", str(path))
    hashes, changed_at = read_hashes(), path.stat().st_mtime_ns
    with django_assert_max_num_queries(8):
        assert seed("--json", "--passwords-file", str(path)) == first
    assert read_hashes() == hashes
    assert path.stat().st_mtime_ns == changed_at
    assert AuditEntry.objects.count() == 1


def test_seed_demo_with_given_passwords_uses_them_and_keeps_other_names(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    path.write_text(json.dumps({"anna": "chosen-by-hand", "somebody": "else"}), encoding="utf-8")
    path.chmod(0o644)
    seed("--passwords-file", str(path))
    assert User.objects.get(username="anna").check_password("chosen-by-hand")
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert (kept["anna"], kept["somebody"]) == ("chosen-by-hand", "else")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_seed_demo_after_a_password_was_edited_or_lost_sets_it(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    seed("--passwords-file", str(path))
    before = read_hashes()
    content = json.loads(path.read_text(encoding="utf-8"))
    content["anna"] = "edited-by-hand"
    del content["boris"]
    path.write_text(json.dumps(content), encoding="utf-8")
    seed("--passwords-file", str(path))
    after = read_hashes()
    assert {name for name in after if after[name] != before[name]} == {"anna", "boris"}
    assert User.objects.get(username="anna").check_password("edited-by-hand")
    entry = AuditEntry.objects.latest("occurred_at")
    assert json.loads(bytes(entry.body))["details"] == {"created": 0, "passwords_changed": 2, "completed": 0}


def test_seed_demo_without_file_keeps_passwords_it_no_longer_knows() -> None:
    first = seed()
    hashes = read_hashes()
    assert "(set earlier)" not in first
    assert seed().count("(set earlier)") == 7
    assert read_hashes() == hashes
    assert AuditEntry.objects.count() == 1


def test_seed_demo_completes_what_is_missing() -> None:
    seed()
    Customer.objects.get(user__username="anna").delete()
    operator = User.objects.get(username="operator")
    operator.groups.clear()
    User.objects.filter(username="admin").update(is_superuser=False)
    seed()
    assert Customer.objects.filter(user__username="anna").exists()
    assert list(operator.groups.all()) == [Group.objects.get(name="operator")]
    assert User.objects.get(username="admin").is_superuser


def test_seed_demo_of_a_real_database_is_refused() -> None:
    make_staff("somebody")
    with pytest.raises(CommandError, match="users of its own"):
        seed()
    assert User.objects.count() == 1
    assert not AuditEntry.objects.exists()
    seed("--force")
    assert User.objects.count() == 8


@pytest.mark.parametrize("content", ["not json", "[]", '{"anna": 7}', '{"anna": ""}'])
def test_seed_demo_with_unreadable_file_changes_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "passwords.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match="passwords file"):
        seed("--passwords-file", str(path))
    assert not User.objects.exists()
    assert path.read_text(encoding="utf-8") == content


def test_seed_demo_with_unwritable_file_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="passwords file"):
        seed("--passwords-file", str(tmp_path / "absent" / "passwords.json"))
    assert not User.objects.exists()
    assert not AuditEntry.objects.exists()


def test_seeded_login_in_a_log_line_shows_no_password() -> None:
    assert "word" not in repr(SeededLogin("anna", "customer", "the-word")).replace("password", "")


def test_build_password_is_readable_and_random() -> None:
    assert len({build_password() for _ in range(50)}) == 50
    assert len(build_password()) == 19
