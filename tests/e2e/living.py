"""Somebody who signs in on the page of the whole product: server process, PostgreSQL, GigaChat sandbox over TLS."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.browser import PhonePage
from tests.live.product import Account

PASSWORD = "three plain words"


@dataclass(frozen=True)
class Customer:
    """Somebody who signs in on the page."""

    username: str
    account: Account

    @property
    def url(self) -> str:
        # By this name the page is a secure context without TLS: the browser offers digests, keys and locks.
        return f"http://localhost:{self.account.product.port}/"

    async def enter(self, phone: PhonePage) -> None:
        await phone.open(self.url)
        await phone.sign_in(self.username, PASSWORD)
        await phone.wait_for_status("online")

    def open_accounts(self, minor: int) -> dict[str, str]:
        """Open a current account with `minor` kopecks and an empty savings account; return their ids by kind."""
        ids: dict[str, str] = self.account.product.clerk.ask("open_accounts", customer=self.account.id, minor=minor)
        return ids

    async def read(self, phone: PhonePage, path: str) -> Any:
        """Return what the REST API answers another device of this customer."""
        headers = {"Authorization": f"Bearer {self.account.open_session().issue_token()}"}
        answer = await phone.page.request.get(f"{self.url}api/v1/{path}", headers=headers)
        return await answer.json()
