"""Who may sign in: the password check, and the throttle that makes guessing useless.

Every answer to a failed login is the same, whether the user exists, is staff, is deactivated or mistyped; the reason
is kept in evidence only. A throttled login is refused before the password is looked at, so that it tells nothing.
"""

import logging

from django.conf import settings
from django.contrib.auth.backends import ModelBackend

from accounts.errors import CredentialsRefused, LoginThrottled, ThrottleUnavailable
from accounts.models import Customer
from accounts.selectors import find_customer
from accounts.throttles import (
    Window,
    build_window,
    count_hit,
    fold_username,
    forget_hits,
    group_address,
    take_back_hit,
)
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_refusal
from audit.pseudonyms import build_pseudonym

logger = logging.getLogger(__name__)


def verify_login(context: AuditContext, *, username: str, password: str) -> Customer:
    """Return the customer whose login name and password these are; refusals leave their audit entry.

    Must run outside a transaction, because a refusal is recorded durably.

    Raises: CredentialsRefused, LoginThrottled, ThrottleUnavailable
    """
    count_attempt(context, username)
    customer, reason = check_password(username, password)
    if customer is None or reason:
        record_login_refusal(context, username, customer=customer, reason=reason)
        raise CredentialsRefused
    forgive_attempt(context, username)
    return customer


def check_password(username: str, password: str) -> tuple[Customer | None, str]:
    """Return the customer of the login name, if any, and why the login is refused ("" when it is not).

    Costs one hash and two queries whatever the outcome. The backend is called directly: `authenticate()` would bring
    in the staff login's lockout (django-axes), and one door has one throttle.
    """
    user = ModelBackend().authenticate(None, username=username, password=password)
    customer = find_customer(username)
    if customer is None:
        return None, "unknown"
    if user is None:
        return customer, "password" if customer.user.is_active else "inactive"
    return customer, ""


def build_username_window(username: str) -> Window:
    return build_window(
        "login-username",
        fold_username(username),
        limit=settings.LOGIN_FAILURES_PER_USERNAME,
        seconds=settings.LOGIN_WINDOW_SECONDS,
    )


def build_address_window(address: str) -> Window:
    return build_window(
        "login-address", address, limit=settings.LOGIN_FAILURES_PER_IP, seconds=settings.LOGIN_WINDOW_SECONDS
    )


def build_windows(context: AuditContext, username: str) -> list[Window]:
    address = group_address(context.ip)
    return [build_username_window(username), *([build_address_window(address)] if address else [])]


def count_attempt(context: AuditContext, username: str) -> None:
    """Count the attempt before its outcome is known, so that parallel guesses cannot slip through together.

    Raises: LoginThrottled, ThrottleUnavailable
    """
    counts = [(window, count_hit(window)) for window in build_windows(context, username)]
    over = [(window, count) for window, count in counts if count > window.limit]
    if not over:
        return
    window, count = over[0]
    if is_worth_recording(count - window.limit):
        record_login_refusal(context, username, customer=find_customer(username), reason="throttled", attempts=count)
    raise LoginThrottled(window.count_seconds_left())


def is_worth_recording(number: int) -> bool:
    """True for 1, 2, 4, 8 …: a flood stays visible, with its size, but cannot fill the evidence log."""
    return number & (number - 1) == 0


def forgive_attempt(context: AuditContext, username: str) -> None:
    """Forget the failures of a login name that has just proved its password; addresses lose only this one hit."""
    try:
        forget_hits(build_username_window(username))
        address = group_address(context.ip)
        if address:
            take_back_hit(build_address_window(address))
    except ThrottleUnavailable:
        # The password was right: a counter left too high is no reason to turn the customer away.
        logger.warning("login attempts could not be forgiven")


def record_login_refusal(
    context: AuditContext, username: str, *, customer: Customer | None, reason: str, attempts: int | None = None
) -> None:
    details: dict[str, str | int] = {"reason": reason}
    if attempts is not None:
        details["attempts"] = attempts
    record_refusal(
        context,
        AuditAction.LOGIN_REFUSED,
        subject="login",
        subject_id=build_pseudonym("username", fold_username(username)),
        customer_id=customer.pk if customer else None,
        details=details,
    )
