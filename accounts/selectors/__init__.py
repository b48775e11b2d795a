"""Reads of the accounts app: sessions here, the bank's in modules of their own (`balances`, `lines`, `owned` …)."""

from accounts.selectors.sessions import find_customer, get_live_session, is_live, list_revoked_since

__all__ = ["find_customer", "get_live_session", "is_live", "list_revoked_since"]
