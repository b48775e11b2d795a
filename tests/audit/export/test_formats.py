"""JSONL keeps the hashed bytes; no CSV cell can become a formula."""

import csv
import hashlib
import io
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import encode_canonical
from audit.export.formats import (
    CSV_COLUMNS,
    FORMULA_STARTS,
    ExportRow,
    disarm_formula,
    encode_csv,
    encode_csv_header,
    encode_jsonl,
)
from audit.journal import compute_leaf
from tests.factories.audit import make_body


def make_row(body: bytes) -> ExportRow:
    return ExportRow(UUID(int=7), datetime(2026, 1, 31, 15, 0, 1, tzinfo=UTC), compute_leaf(body), body)


def read_cells(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((encode_csv_header() + data).decode(), newline="")))


def test_jsonl_line_proves_its_body_after_any_json_parser() -> None:
    body = make_body(details={"sum": "a/b", "n": 1})

    lines = encode_jsonl([make_row(body), make_row(make_body())]).splitlines()

    first = orjson.loads(lines[0])
    assert len(lines) == 2
    assert (first["id"], first["recorded_at"]) == (str(UUID(int=7)), "2026-01-31T15:00:01.000000Z")
    assert encode_canonical(first["body"]) == body
    assert first["digest"] == hashlib.sha256(b"\x00" + body).hexdigest()


def test_csv_row_holds_every_column() -> None:
    body = make_body(
        corr={"customer": "c", "conversation": "v", "turn": "t", "request": "r", "session": "s", "ip": "p"},
        details={"b": 1, "a": None},
    )

    (cells,) = read_cells(encode_csv([make_row(body)]))

    assert cells == {
        "id": str(UUID(int=7)),
        "occurred_at": "2026-01-31T15:00:00.000001Z",
        "recorded_at": "2026-01-31T15:00:01.000000Z",
        "action": "demo.seeded",
        "outcome": "ok",
        "actor_kind": "system",
        "actor_id": "tests",
        "origin": "command",
        "subject": "sample",
        "subject_id": "1",
        "customer_id": "c",
        "conversation_id": "v",
        "turn_id": "t",
        "request_id": "r",
        "session_id": "s",
        "ip": "p",
        "details": '{"a":null,"b":1}',
        "digest": compute_leaf(body).hex(),
    }
    assert tuple(cells) == CSV_COLUMNS


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "|calc",
        "%0A",
        "\t=1",
        "\tx",
        "\rx",
        "\nx",
        "  =1",
        "\xa0=1",
        "\u3000=1",
        "\u200b=1",
        "\ufeff=1",
        "\x00=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "﹦1",
        "﹢1",
        "﹣1",
        "﹫x",
        "−1",
        '=HYPERLINK("http://example.com","x")',
    ],
)
def test_csv_cell_that_a_spreadsheet_could_run_is_disarmed(cell: str) -> None:
    body = make_body(object={"kind": "sample", "id": cell})

    (cells,) = read_cells(encode_csv([make_row(body)]))

    assert cells["subject_id"] == f"'{cell}"


@pytest.mark.parametrize("cell", ["", " ", "plain", "a=b", "1-2", "2026-01-31", "д=1", '{"a":1}'])
def test_csv_cell_that_is_plain_text_is_left_alone(cell: str) -> None:
    assert disarm_formula(cell) == cell


@given(st.text(st.sampled_from(" \t\r\n=+-@＝｜a\u200b\xa0"), max_size=6))
def test_csv_cell_never_starts_like_a_formula(cell: str) -> None:
    disarmed = disarm_formula(cell)

    assert disarmed in (cell, f"'{cell}")
    assert disarmed.strip()[:1] not in FORMULA_STARTS


@given(st.text(st.sampled_from("\",;\r\n'=ab "), max_size=12))
def test_csv_cell_cannot_break_out_of_its_row(cell: str) -> None:
    data = encode_csv([make_row(make_body(object={"kind": "sample", "id": cell})), make_row(make_body())])

    rows = read_cells(data)

    assert [row["subject_id"].removeprefix("'") for row in rows] == [cell.removeprefix("'"), "1"]
    assert all(None not in row for row in rows)
