"""The short endpoints: shapes and sizes as recorded, errors in the service's words."""

import math

import pytest

from chat.gigachat.sandbox import Account, HostProfile, Sandbox
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import call

SCHEMA_ERROR = b'{"status":400,"message":"Your request contains invalid JSON syntax."}\n'
NO_MODEL = b'{"status":404,"message":"No such model"}\n'


def multiply(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_models_of_new_host_are_the_eight(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "GET", "/models")

    assert [(row["id"], row["type"]) for row in reply.json()["data"]] == [
        ("GigaChat-2", "chat"),
        ("GigaChat-2-Pro", "chat"),
        ("GigaChat-2-Max", "chat"),
        ("GigaChat-3-Ultra", "chat"),
        ("Embeddings", "embedder"),
        ("Embeddings-2", "embedder"),
        ("EmbeddingsGigaR", "embedder"),
        ("GigaEmbeddings-3B-2025-09", "embedder"),
    ]


async def test_models_of_legacy_host_have_recorded_size(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(host_profile=HostProfile.LEGACY)

    reply = await call(sandbox, "GET", "/models")

    assert sandbox.base_url.endswith("/api/v1")
    assert len(reply.json()["data"]) == 20
    assert len(reply.body) == 1724


async def test_model_by_name_is_one_object(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "GET", "/models/GigaChat-2-Max")

    assert reply.body == b'{"id":"GigaChat-2-Max","object":"model","owned_by":"salutedevices","type":"chat"}'


async def test_model_of_the_other_host_is_unknown(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "GET", "/models/GigaChat")

    # 40 bytes of compact JSON and a line feed, as recorded.
    assert (reply.status, reply.body, len(reply.body)) == (404, NO_MODEL, 41)


async def test_tokens_count_is_a_bare_array_of_recorded_size(sandbox: Sandbox) -> None:
    value = {"model": "GigaChat-2", "input": ["0123456789", "9876543210"]}

    reply = await call(sandbox, "POST", "/tokens/count", value=value)

    assert reply.json() == [{"object": "tokens", "tokens": 2, "characters": 10}] * 2
    assert len(reply.body) == 95


@pytest.mark.parametrize("path", ["/tokens/count", "/embeddings"])
@pytest.mark.parametrize(
    ("value", "status", "body"),
    [
        ({"model": "GigaChat-2", "input": "text"}, 400, SCHEMA_ERROR),
        ({"input": []}, 400, SCHEMA_ERROR),
        ({"model": "Nobody", "input": ["text"]}, 404, NO_MODEL),
    ],
)
async def test_texts_refused_with_the_services_words(
    sandbox: Sandbox, path: str, value: dict[str, object], status: int, body: bytes
) -> None:
    reply = await call(sandbox, "POST", path, value=value)

    assert (reply.status, reply.body) == (status, body)


async def test_embeddings_are_deterministic_unit_vectors(sandbox: Sandbox) -> None:
    value = {"model": "Embeddings", "input": ["вклад под процент", "процент по вкладу", "погода"]}

    reply, again = [await call(sandbox, "POST", "/embeddings", value=value) for _ in range(2)]

    data = reply.json()["data"]
    first, second, third = (row["embedding"] for row in data)
    assert reply.body == again.body
    assert [len(row["embedding"]) for row in data] == [1024] * 3
    assert math.isclose(math.hypot(*first), 1.0, abs_tol=1e-3)
    assert multiply(first, second) > multiply(first, third)
    assert data[0]["usage"] == {"prompt_tokens": 4}
    assert (reply.json()["object"], reply.json()["model"], data[1]["index"]) == ("list", "Embeddings", 1)


async def test_embeddings_of_gigar_are_longer(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "POST", "/embeddings", value={"model": "EmbeddingsGigaR", "input": ["x"]})

    assert len(reply.json()["data"][0]["embedding"]) == 2560


async def test_embeddings_of_chat_model_are_refused(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "POST", "/embeddings", value={"model": "GigaChat-2", "input": ["x"]})

    assert reply.status == 404


@pytest.mark.parametrize("account", [Account.PERS, Account.B2B])
async def test_balance_of_prepaid_account_lists_packages(start_sandbox: StartSandbox, account: Account) -> None:
    sandbox = await start_sandbox(account=account, package_tokens=900000)

    reply = await call(sandbox, "GET", "/balance")

    assert reply.json()["balance"][0] == {"usage": "GigaChat-2", "value": 900000}


async def test_balance_of_pay_as_you_go_account_is_refused(start_sandbox: StartSandbox) -> None:
    reply = await call(await start_sandbox(account=Account.CORP), "GET", "/balance")

    assert (reply.status, reply.body) == (403, b'{"status":403,"message":"Permission denied"}\n')


async def test_validate_function_accepts_a_right_one(sandbox: Sandbox) -> None:
    function = {
        "name": "get_balance",
        "parameters": {"type": "object", "properties": {"account": {"type": "string"}}},
        "few_shot_examples": [{"request": "Сколько денег?", "params": {"account": "acc_1"}}],
    }

    reply = await call(sandbox, "POST", "/functions/validate", value=function)

    assert reply.json() == {
        "status": 200,
        "message": "Function is valid",
        "json_ai_rules_version": "1.0.5",
        "errors": [],
        "warnings": [],
    }


async def test_validate_function_names_every_problem(sandbox: Sandbox) -> None:
    function = {"name": "1st", "parameters": {"type": "object", "properties": {"data": {"type": "object"}}}}

    reply = await call(sandbox, "POST", "/functions/validate", value=function)

    assert reply.json()["message"] == "Incorrect function syntax"
    assert [error["schema_location"] for error in reply.json()["errors"]] == ["properties.data.properties", "name"]
    assert len(reply.json()["warnings"]) == 1
