"""Every answer carries the request's id; the access line tells the path and never the query."""

import logging
import re

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from assistant_project.middleware import RequestIdMiddleware
from audit.log_context import get_request_id

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize("given", ["gateway-1234", "a" * 64])
def test_sane_request_id_is_kept(client: Client, given: str) -> None:
    response = client.get("/livez", headers={"X-Request-ID": given})

    assert response.headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "with space", "line\\nbreak", "имя-клиента", "ivan@bank.example"]
)
def test_other_request_id_is_replaced(client: Client, given: str) -> None:
    response = client.get("/livez", headers={"X-Request-ID": given})

    assert UUID.fullmatch(response.headers["X-Request-ID"])


async def test_asynchronous_client_gets_an_id(async_client: AsyncClient) -> None:
    response = await async_client.get("/livez")

    assert UUID.fullmatch(response.headers["X-Request-ID"])


ICON = "/static/audit/icon.svg"


async def test_static_file_is_answered_whole_without_a_warning_of_django(async_client: AsyncClient) -> None:
    response = await async_client.get(ICON)

    assert (response.status_code, response.streaming) == (200, False)
    assert response.content.startswith(b"<svg")
    assert (response["Content-Type"], response["Content-Length"]) == ("image/svg+xml", str(len(response.content)))


def test_static_file_is_answered_in_parts_and_only_when_it_changed(client: Client) -> None:
    part = client.get(ICON, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"<svg")

    again = client.get(ICON, headers={"If-Modified-Since": part["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")
    head = client.head(ICON)
    assert (head.status_code, head.content) == (200, b"")
    assert client.post(ICON).status_code == 405


@pytest.mark.django_db
def test_staff_site_names_its_icon(client: Client) -> None:
    assert f'<link rel="icon" type="image/svg+xml" href="{ICON}">' in client.get("/admin/login/").text


async def test_asynchronous_chain_is_bound_and_answered(rf: RequestFactory) -> None:
    """Below middlewares that are all asynchronous, ours is too."""
    bound: list[str] = []

    async def answer(_request: HttpRequest) -> HttpResponse:
        bound.append(get_request_id())
        return HttpResponse()

    middleware = RequestIdMiddleware(answer)
    response = await middleware(rf.get("/", headers={"X-Request-ID": "gateway-1234"}))  # type: ignore[misc]

    assert iscoroutinefunction(middleware)
    assert (bound, response.headers["X-Request-ID"]) == (["gateway-1234"], "gateway-1234")
    assert get_request_id() == ""


def test_access_line_has_no_query(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="assistant_project.middleware"):
        client.get("/nowhere?card=4276160012345678")

    (record,) = [record for record in caplog.records if record.name == "assistant_project.middleware"]
    line = record.__dict__
    assert (line["method"], line["path"], line["status"]) == ("GET", "/nowhere", 404)
    assert line["duration_ms"] >= 0
    assert "4276" not in str(line)


def test_probe_writes_no_line_at_info(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="assistant_project.middleware"):
        client.get("/livez")

    assert [record for record in caplog.records if record.name == "assistant_project.middleware"] == []
