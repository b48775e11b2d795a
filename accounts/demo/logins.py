"""The people of the demo bank. Nobody real can be hit: the names are made up, +7 000 numbers are never assigned.

Passwords are random and kept in a file of the owner's, or given in it by hand. The file also holds a seal over the
passwords and the stored hashes, so that a restart can tell that both still belong together without hashing anything.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib.auth.models import Group, User
from django.db import transaction

from accounts.enums import Language
from accounts.models import Customer
from accounts.services.customers import open_customer
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

SEAL = "_seal"
# Without letters and digits that look alike: people type these on phones.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCustomer:
    username: str
    first_name: str
    last_name: str
    phone: str
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStaff:
    """`group` is one of those that `create_staff_roles` fills with permissions; the administrator needs none."""

    username: str
    group: str = ""
    is_administrator: bool = False


CUSTOMERS = (
    DemoCustomer(
        username="anna", first_name="Анна", last_name="Ветрова", phone="+70000000101", language=Language.RUSSIAN
    ),
    DemoCustomer(
        username="boris", first_name="Борис", last_name="Лугов", phone="+70000000102", language=Language.RUSSIAN
    ),
    DemoCustomer(
        username="elena", first_name="Елена", last_name="Озёрская", phone="+70000000103", language=Language.ENGLISH
    ),
)
STAFF = (
    DemoStaff(username="officer", group="compliance"),
    DemoStaff(username="auditor", group="auditor"),
    DemoStaff(username="operator", group="operator"),
    DemoStaff(username="admin", is_administrator=True),
)
USERNAMES = (*(row.username for row in CUSTOMERS), *(row.username for row in STAFF))


class ForeignUsers(Exception):
    """The database has users, but none of the demo's: it is somebody's real one."""


@dataclass(frozen=True, slots=True)
class SeededLogin:
    """One login of the demo; `password` is None when it was set in an earlier run and nobody kept it."""

    username: str
    role: str
    password: str | None = field(repr=False)


@transaction.atomic(durable=True)
def seed_demo(context: AuditContext, passwords_file: Path | None, *, is_forced: bool = False) -> list[SeededLogin]:
    """Make the demo's customers and staff, or find them as they are; return their logins.

    A second run changes nothing, writes no entry and hashes nothing. Users, entry and file belong together: when one
    cannot be written, none is.

    Raises: ForeignUsers unless `is_forced`, OSError and ValueError when the file cannot be used
    """
    users = {user.username: user for user in User.objects.filter(username__in=USERNAMES)}
    if not users and not is_forced and User.objects.exists():
        raise ForeignUsers
    kept = read_passwords(passwords_file)
    passwords = choose_passwords(users, kept, has_file=passwords_file is not None)
    created = [create_user(username, passwords[username]) for username in USERNAMES if username not in users]
    users |= {user.username: user for user in created}
    is_sealed = kept.get(SEAL) == build_seal(passwords, users)
    doubtful = {} if is_sealed else {name: text for name, text in passwords.items() if users[name] not in created}
    changed = correct_passwords(users, doubtful)
    completed = complete_people(users)
    if created or changed or completed:
        counts = {"created": len(created), "passwords_changed": changed, "completed": completed}
        record_entry(context, AuditAction.DEMO_SEEDED, subject="demo", subject_id="bank", details=counts)
    if passwords_file is not None:
        write_passwords(passwords_file, {**passwords, SEAL: build_seal(passwords, users)}, kept)
    return list_logins(passwords)


def read_passwords(path: Path | None) -> dict[str, str]:
    """Return what the file holds; nothing when there is none yet.

    Raises: OSError, ValueError when it is not a JSON object of texts
    """
    if path is None or not path.exists():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not all(isinstance(value, str) and value for value in content.values()):
        raise ValueError("the passwords file is not a JSON object of names and passwords")
    return content


def choose_passwords(users: Mapping[str, User], kept: Mapping[str, str], *, has_file: bool) -> dict[str, str]:
    """Return the password of every login that has a known one: kept, or made now."""
    chosen = {name: kept[name] for name in USERNAMES if name in kept}
    for name in USERNAMES:
        # Without a file a password that was given out once must go on working, although we no longer know it.
        if name not in chosen and (has_file or name not in users):
            chosen[name] = build_password()
    return chosen


def build_password() -> str:
    """Return four groups of four characters, 79 random bits."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(4))


def create_user(username: str, password: str) -> User:
    return User.objects.create_user(username=username, password=password)


def correct_passwords(users: Mapping[str, User], passwords: Mapping[str, str]) -> int:
    """Set every password that is not the stored one yet; return how many."""
    wrong = [users[name] for name, password in passwords.items() if not users[name].check_password(password)]
    for user in wrong:
        user.set_password(passwords[user.username])
        user.save(update_fields=["password"])
    return len(wrong)


def complete_people(users: Mapping[str, User]) -> int:
    """Make missing customers and give staff its rights; return how many rows had to change."""
    known = set(Customer.objects.filter(user__in=users.values()).values_list("user__username", flat=True))
    missing = [row for row in CUSTOMERS if row.username not in known]
    for row in missing:
        open_customer(
            users[row.username],
            first_name=row.first_name,
            last_name=row.last_name,
            phone=row.phone,
            language=row.language,
        )
    return len(missing) + sum(appoint(users[row.username], row) for row in STAFF)


def appoint(user: User, row: DemoStaff) -> bool:
    """Make the user staff in its role; return False when it was already."""
    changed = (user.is_staff, user.is_superuser) != (True, row.is_administrator)
    if changed:
        user.is_staff, user.is_superuser = True, row.is_administrator
        user.save(update_fields=["is_staff", "is_superuser"])
    if row.group and not user.groups.filter(name=row.group).exists():
        user.groups.add(Group.objects.get_or_create(name=row.group)[0])
        return True
    return changed


def build_seal(passwords: Mapping[str, str], users: Mapping[str, User]) -> str:
    """Return a digest over each known password and the hash stored for it."""
    pairs = [(name, password, users[name].password) for name, password in sorted(passwords.items()) if name in users]
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def write_passwords(path: Path, content: Mapping[str, str], kept: Mapping[str, str]) -> None:
    """Replace the file, readable by its owner only, keeping entries that are not ours; no half-written file is seen.

    Raises: OSError
    """
    merged = {**kept, **content}
    if merged == kept and path.stat().st_mode & 0o077 == 0:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(merged, stream, ensure_ascii=False, indent=2)
        stream.write("\n")
    draft.replace(path)


def list_logins(passwords: Mapping[str, str]) -> list[SeededLogin]:
    customers = [SeededLogin(row.username, "customer", passwords.get(row.username)) for row in CUSTOMERS]
    staff = [SeededLogin(row.username, row.group or "administrator", passwords.get(row.username)) for row in STAFF]
    return customers + staff
