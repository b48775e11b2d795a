import json
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from typing_extensions import override

PROJECT_DIR = Path(__file__).resolve().parents[3]


class TagReader(HTMLParser):
    """Collects what a strict content security policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.sources: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "style" or (tag == "script" and not values.get("src")) or "style" in values or "onload" in values:
            self.inline.append(tag)
        for name in ("src", "href"):
            if values.get(name):
                self.sources.append(str(values[name]))


def get_schema() -> dict[str, Any]:
    schema: dict[str, Any] = Client().get("/api/v1/schema").json()
    return schema


def test_committed_document_is_what_the_code_says(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(made), stdout=StringIO())
    assert made.read_text(encoding="utf-8") == (PROJECT_DIR / "docs" / "openapi.yaml").read_text(encoding="utf-8"), (
        "run: manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"
    )


def test_schema_is_open_and_lists_every_path() -> None:
    schema = get_schema()
    assert set(schema["paths"]) == {
        "/api/v1/auth/login",
        "/api/v1/auth/refresh",
        "/api/v1/auth/logout",
        "/api/v1/auth/step-up",
        "/api/v1/devices/keys",
        "/api/v1/devices/keys/challenge",
        "/api/v1/devices/keys/{key_id}",
        "/api/v1/keys",
        "/api/v1/me",
        "/api/v1/conversations",
        "/api/v1/conversations/{conversation_id}",
        "/api/v1/conversations/{conversation_id}/close",
        "/api/v1/conversations/{conversation_id}/commands",
        "/api/v1/conversations/{conversation_id}/messages",
        "/api/v1/conversations/{conversation_id}/events",
        "/api/v1/files",
        "/api/v1/files/{file_id}",
        "/api/v1/files/{file_id}/content",
        "/api/v1/accounts",
        "/api/v1/accounts/{account_id}",
        "/api/v1/accounts/{account_id}/balance",
        "/api/v1/accounts/{account_id}/requisites",
        "/api/v1/accounts/{account_id}/statement",
        "/api/v1/accounts/{account_id}/transactions",
        "/api/v1/statements/{request_id}",
        "/api/v1/transactions",
        "/api/v1/transactions/{line_id}",
        "/api/v1/cards",
        "/api/v1/payees",
        "/api/v1/bills",
        "/api/v1/scheduled-payments",
        "/api/v1/subscriptions",
        "/api/v1/rates",
    }


def test_every_response_of_the_schema_is_described_and_errors_have_examples() -> None:
    for path, methods in get_schema()["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert {"500", "503"} <= operation["responses"].keys(), (path, method)
            for status, response in operation["responses"].items():
                if status == "204":
                    continue
                for media_type, content in response["content"].items():
                    if media_type != "application/json":
                        assert status == "200", "only what succeeds can be a file"
                        continue
                    assert content["examples"], (path, method, status)
                    if status >= "400":
                        assert content["schema"] == {"$ref": "#/components/schemas/Error"}


def test_schema_speaks_yaml_when_asked() -> None:
    response = Client().get("/api/v1/schema", headers={"Accept": "application/yaml"})
    assert response["Content-Type"].startswith("application/yaml")
    assert response.content.startswith(b"openapi: 3")


def test_docs_page_needs_nothing_that_a_strict_policy_refuses() -> None:
    response = Client().get("/api/v1/docs")
    assert response.status_code == 200
    reader = TagReader()
    reader.feed(response.content.decode())
    assert reader.inline == []
    assert reader.sources
    assert all(source.startswith("/") for source in reader.sources)


@pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/docs?script="])
def test_docs_answers_page_and_script(path: str) -> None:
    response = Client().get(path)
    kind = "application/javascript" if "script" in path else "text/html"
    assert (response.status_code, response["Content-Type"].partition(";")[0]) == (200, kind)


def test_examples_of_errors_are_of_the_error_shape() -> None:
    schema = get_schema()
    required = set(schema["components"]["schemas"]["Error"]["required"])
    text = json.dumps(schema)
    assert required == {"code", "message", "retryable", "trace"}
    assert '"auth.revoked"' in text
