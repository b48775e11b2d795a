"""How one entry is written as JSON or CSV. Pure.

JSONL keeps the body as the very bytes that were hashed, so the digest can be checked from the file alone. CSV is for
reading in a spreadsheet: the same rows, flattened, and no cell can become a formula.
"""

import csv
import io
import string
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from django.db.models import TextChoices

from audit.journal import format_time


class ExportFormat(TextChoices):
    """How an export is written."""

    JSONL = "jsonl", "JSONL"
    CSV = "csv", "CSV"

    @property
    def content_type(self) -> str:
        return {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}[self.value]


@dataclass(frozen=True, slots=True)
class ExportRow:
    """What is read from the database for one entry."""

    id: UUID
    recorded_at: datetime
    digest: bytes
    body: bytes


CSV_COLUMNS: Final = (
    "id",
    "occurred_at",
    "recorded_at",
    "action",
    "outcome",
    "actor_kind",
    "actor_id",
    "origin",
    "subject",
    "subject_id",
    "customer_id",
    "conversation_id",
    "turn_id",
    "request_id",
    "session_id",
    "ip",
    "details",
    "digest",
)
# What spreadsheets take for the start of a formula; U+2212 is a minus that NFKC leaves alone.
FORMULA_STARTS: Final = frozenset("=+-@|%\u2212")
HARMLESS_STARTS: Final = frozenset(string.ascii_letters + string.digits + "{") | {""}
IGNORED_BEFORE_FORMULA: Final = "".join(map(chr, range(33))) + "\x7f\x85\xa0\u200b\u200c\u200d\u2060\ufeff\u3000"


def encode_jsonl(rows: Iterable[ExportRow]) -> bytes:
    return b"".join(map(encode_json_line, rows))


def encode_json_line(row: ExportRow) -> bytes:
    """Return `{"body":…,"digest":…,"id":…,"recorded_at":…}` and a line feed; the body is copied, never re-encoded."""
    head = b'{"body":%b,"digest":"%b","id":"%b","recorded_at":"%b"}\n'
    return head % (row.body, row.digest.hex().encode(), str(row.id).encode(), format_time(row.recorded_at).encode())


def encode_csv(rows: Iterable[ExportRow]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerows([disarm_formula(cell) for cell in flatten_row(row)] for row in rows)
    return buffer.getvalue().encode()


def encode_csv_header() -> bytes:
    return (",".join(CSV_COLUMNS) + "\r\n").encode()


def flatten_row(row: ExportRow) -> tuple[str, ...]:
    """Return the cells of one entry in the order of `CSV_COLUMNS`, all taken from its body but the last word's."""
    body = orjson.loads(row.body)
    corr = body["corr"]
    return (
        str(row.id),
        body["ts"],
        format_time(row.recorded_at),
        body["type"],
        body["outcome"],
        body["actor"]["kind"],
        body["actor"]["id"],
        body["origin"],
        body["object"]["kind"],
        body["object"]["id"],
        corr.get("customer", ""),
        corr.get("conversation", ""),
        corr.get("turn", ""),
        corr.get("request", ""),
        corr.get("session", ""),
        corr.get("ip", ""),
        orjson.dumps(body["details"], option=orjson.OPT_SORT_KEYS).decode(),
        row.digest.hex(),
    )


def disarm_formula(cell: str) -> str:
    """Return `cell`, with an apostrophe in front when a spreadsheet could run it.

    Looks behind leading spaces and control characters, and at full-width and small forms, which spreadsheets
    normalise before they decide.
    """
    # Nearly every cell starts with a letter or digit; the full look costs ten times as much.
    if cell[:1] in HARMLESS_STARTS:
        return cell
    first = cell.lstrip(IGNORED_BEFORE_FORMULA)[:1]
    is_formula = unicodedata.normalize("NFKC", first) in FORMULA_STARTS if first else False
    return f"'{cell}" if is_formula or cell[:1] in ("\t", "\r", "\n") else cell


ENCODERS: Final[dict[ExportFormat, Callable[[Iterable[ExportRow]], bytes]]] = {
    ExportFormat.JSONL: encode_jsonl,
    ExportFormat.CSV: encode_csv,
}
