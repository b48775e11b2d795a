from collections.abc import Callable
from typing import Any

import pytest

from chat.gigachat.errors import AnswerMalformed
from chat.gigachat.rest_mapping import (
    parse_balance,
    parse_counts,
    parse_deletion,
    parse_file,
    parse_files,
    parse_model,
    parse_models,
    parse_report,
)
from chat.gigachat.rest_types import (
    FunctionFault,
    FunctionReport,
    ModelInfo,
    PackageBalance,
    TokenCount,
    UploadedFile,
)

FILE_ID = "11111111-1111-4111-8111-111111111111"
FILE = {
    "id": FILE_ID,
    "object": "file",
    "bytes": 7,
    "created_at": 1793950000,
    "filename": "счёт.pdf",
    "purpose": "general",
    "access_policy": "private",
}


def test_parse_models_returns_every_kind() -> None:
    models = [
        {"id": "GigaChat-2", "object": "model", "owned_by": "salutedevices", "type": "chat"},
        {"id": "Embeddings", "object": "model", "owned_by": "salutedevices", "type": "embedder"},
    ]
    assert parse_models({"object": "list", "data": models}) == (
        ModelInfo(name="GigaChat-2", kind="chat", owner="salutedevices"),
        ModelInfo(name="Embeddings", kind="embedder", owner="salutedevices"),
    )


def test_parse_model_without_kind_takes_it_for_chat() -> None:
    assert parse_model({"id": "GigaChat-2"}) == ModelInfo(name="GigaChat-2", kind="chat")


def test_parse_counts_of_bare_array() -> None:
    counts = [{"object": "tokens", "tokens": 2, "characters": 10}]
    assert parse_counts(counts) == (TokenCount(tokens=2, characters=10),)


@pytest.mark.parametrize("value", [900000, 900000.0])
def test_parse_balance_reads_whole_tokens(value: float) -> None:
    found = parse_balance({"balance": [{"usage": "GigaChat-2", "value": value}]})
    assert found == (PackageBalance(model="GigaChat-2", tokens=900000),)


def test_parse_file_keeps_the_name_out_of_its_repr() -> None:
    found = parse_file(FILE)
    expected = UploadedFile(
        file_id=FILE_ID, size_bytes=7, created_at=1793950000, filename="счёт.pdf", purpose="general"
    )
    assert found == expected
    assert "счёт" not in repr(found)
    assert parse_files({"data": [FILE]}) == (expected,)


def test_parse_file_with_id_only_knows_nothing_else() -> None:
    assert parse_file({"id": "a_1", "bytes": "7"}) == UploadedFile(file_id="a_1", size_bytes=0, created_at=0)


@pytest.mark.parametrize("deleted", [True, False])
def test_parse_deletion_tells_what_the_service_says(deleted: bool) -> None:
    assert parse_deletion({"id": "1", "deleted": deleted}) is deleted


def test_parse_report_of_valid_function() -> None:
    value = {
        "status": 200,
        "message": "Function is valid",
        "json_ai_rules_version": "1.0.5",
        "warnings": [{"description": "few_shot_examples are missing", "schema_location": "few_shot_examples"}],
    }
    fault = FunctionFault(text="few_shot_examples are missing", location="few_shot_examples")
    assert parse_report(value) == FunctionReport(is_valid=True, errors=(), warnings=(fault,))


def test_parse_report_of_invalid_function() -> None:
    value = {"message": "Incorrect function syntax", "errors": [{"description": "bad"}]}
    fault = FunctionFault(text="bad", location="")
    assert parse_report(value) == FunctionReport(is_valid=False, errors=(fault,), warnings=())


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (parse_models, None),
        (parse_models, []),
        (parse_models, {"data": {}}),
        (parse_models, {"data": [5]}),
        (parse_model, {"id": 5}),
        (parse_counts, {"tokens": 2}),
        (parse_counts, [{"tokens": "2", "characters": 1}]),
        (parse_counts, [{"tokens": True, "characters": 1}]),
        (parse_balance, {"balance": [{"usage": "GigaChat-2"}]}),
        (parse_balance, {"balance": [{"usage": "GigaChat-2", "value": True}]}),
        (parse_balance, {"balance": [5]}),
        (parse_file, {"id": ""}),
        (parse_file, {"id": "../models"}),
        (parse_file, {"id": "ы"}),
        (parse_file, {"bytes": 5}),
        (parse_deletion, {"deleted": "true"}),
        (parse_report, {"errors": []}),
        (parse_report, {"message": "x", "errors": [{"schema_location": "name"}]}),
    ],
)
def test_parse_of_undocumented_answer_is_refused(parse: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(AnswerMalformed):
        parse(value)
