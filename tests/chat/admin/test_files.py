"""What staff may read of files: facts by role, never content."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from chat.models import GigaChatFile, Message, MessageFile, StoredFile
from chat.services.copies import begin_copy
from tests.factories.accounts import make_customer, make_staff
from tests.factories.audit import make_role, sign_in
from tests.factories.chat import ask
from tests.factories.files import store

pytestmark = pytest.mark.django_db
NAME = "секретный-договор"
MODELS = ("storedfile", "gigachatfile")


@pytest.fixture(autouse=True)
def password_only(settings: Settings) -> None:
    settings.STAFF_OTP_REQUIRED = False


def make_used_file() -> tuple[StoredFile, Message, GigaChatFile]:
    customer = make_customer()
    file = store(customer, name=f"{NAME}.png")
    asked = ask(customer, file_ids=(file.pk,))
    return file, Message.objects.get(pk=asked.accepted.question_id), begin_copy(file, "pseudonym")


def list_urls(file: StoredFile, copy: GigaChatFile) -> dict[str, tuple[str, str]]:
    keys = {"storedfile": file.pk, "gigachatfile": copy.pk}
    return {name: (f"/admin/chat/{name}/", f"/admin/chat/{name}/{key}/change/") for name, key in keys.items()}


def read(client: Client, url: str, **query: Any) -> str:
    return client.get(url, query).content.decode()


@pytest.mark.parametrize(
    ("role", "open_to"), [("compliance", set(MODELS)), ("auditor", set()), ("operator", {"gigachatfile"})]
)
def test_pages_open_to_exactly_their_roles(role: str, open_to: set[str]) -> None:
    file, _message, copy = make_used_file()
    client = sign_in(make_role(role))

    for name, urls in list_urls(file, copy).items():
        assert [client.get(url).status_code for url in urls] == [200 if name in open_to else 403] * 2


def test_pages_stay_closed_to_staff_without_a_role() -> None:
    file, _message, copy = make_used_file()
    client = sign_in(make_staff())

    assert {client.get(url).status_code for urls in list_urls(file, copy).values() for url in urls} == {403}


def test_page_of_a_file_tells_its_facts_and_leads_to_its_copies() -> None:
    file, _message, _copy = make_used_file()
    client = sign_in(make_role("compliance"))

    page = read(client, f"/admin/chat/storedfile/{file.pk}/change/")

    for fact in (NAME, file.sha256, str(file.size_bytes), "image/png", str(file.customer_id)):
        assert fact in page
    assert f"/admin/chat/gigachatfile/?file={file.pk}" in page
    assert NAME not in read(client, "/admin/chat/storedfile/")


def test_page_of_a_copy_leads_to_its_file_for_who_may_see_it() -> None:
    file, _message, copy = make_used_file()
    url = f"/admin/chat/gigachatfile/{copy.pk}/change/"
    target = f"/admin/chat/storedfile/{file.pk}/change/"

    assert target in read(sign_in(make_role("compliance")), url)
    assert target not in read(sign_in(make_role("operator")), url)


def test_page_of_a_message_leads_to_its_files() -> None:
    file, message, _copy = make_used_file()
    other = store(make_customer())
    client = sign_in(make_role("compliance"))

    page = read(client, f"/admin/chat/message/{message.pk}/change/")
    found = read(client, "/admin/chat/storedfile/", message=message.pk)

    assert f"/admin/chat/storedfile/?message={message.pk}" in page
    assert str(file.pk) in found
    assert str(other.pk) not in found


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_for_any_number_of_rows(rows: int) -> None:
    client = sign_in(make_role("compliance"))
    for _ in range(rows):
        make_used_file()
    counts = []
    for name in MODELS:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/admin/chat/{name}/")
        counts.append(len(queries))

    assert counts == [5, 5]


def test_rows_name_themselves_by_ids_only() -> None:
    file, message, copy = make_used_file()

    assert [str(file), str(copy)] == [str(file.pk), str(copy.pk)]
    assert str(MessageFile.objects.get()) == f"{message.pk}:0"
