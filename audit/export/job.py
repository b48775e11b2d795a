"""One export from its first entry in the log to its last byte.

That an export happened is evidence too: `started` is committed before the first byte leaves, `finished` says how
many rows and which SHA-256, `aborted` or `failed` that the reader went away or the database did.
"""

import hashlib
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import transaction
from uuid_utils.compat import uuid7

from audit.canonical import JsonValue
from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.errors import TooManyExports
from audit.export.filters import EntryFilter, describe_filter
from audit.export.formats import ENCODERS, ExportFormat, encode_csv_header
from audit.export.snapshot import read_entries
from audit.journal import record_entry

CHUNK_BYTES = 64 * 1024


class ExportSlots:
    """Counts the exports that this process streams now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0

    def refuse_when_full(self) -> None:
        """Raises: TooManyExports"""
        if self._running >= settings.AUDIT_EXPORT_LIMIT:
            raise TooManyExports("too many exports run in this process")

    @contextmanager
    def occupy(self) -> Iterator[None]:
        """Hold a place while the block runs.

        Raises: TooManyExports
        """
        with self._lock:
            self.refuse_when_full()
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1


slots = ExportSlots()


class Export:
    """A recorded export that is ready to be read once; made by `open_export`.

    `row_count` and `sha256` grow with every chunk and are final when the iteration has ended.
    """

    def __init__(self, context: AuditContext, chosen: EntryFilter, kind: ExportFormat) -> None:
        self.id: UUID = uuid7()
        self.kind = kind
        self.row_count = 0
        self._context = context
        self._chosen = chosen
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Generator[bytes, None, None]:
        """Yield the file in pieces of about 64 KiB, then record how it ended; closing early counts as aborted.

        Raises: TooManyExports, before the first piece
        """
        stage, outcome = "aborted", Outcome.FAILED
        with slots.occupy():
            try:
                for chunk in self._encode():
                    self._digest.update(chunk)
                    yield chunk
                stage, outcome = "finished", Outcome.OK
            except psycopg.Error:
                stage = "failed"
                raise
            finally:
                self.record(stage, outcome, rows=self.row_count, sha256=self.sha256)

    def _encode(self) -> Iterator[bytes]:
        pending = bytearray(encode_csv_header() if self.kind is ExportFormat.CSV else b"")
        for rows in read_entries(self._chosen):
            pending += ENCODERS[self.kind](rows)
            self.row_count += len(rows)
            if len(pending) >= CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
        if pending:
            yield bytes(pending)

    def record(self, stage: str, outcome: Outcome, **details: JsonValue) -> None:
        """Write one durable entry about this export."""
        with transaction.atomic(durable=True):
            record_entry(
                self._context,
                AuditAction.AUDIT_EXPORTED,
                subject="export",
                subject_id=str(self.id),
                customer_id=self._chosen.customer_id,
                conversation_id=self._chosen.conversation_id,
                outcome=outcome,
                details={"stage": stage, "format": self.kind.value, **describe_filter(self._chosen), **details},
            )


def open_export(context: AuditContext, chosen: EntryFilter, *, kind: ExportFormat) -> Export:
    """Record that an export starts, durably, and return it; nothing is read yet.

    The snapshot is taken when reading starts, so an export whose filter matches it contains its own first entry.

    Raises: TooManyExports
    """
    slots.refuse_when_full()
    export = Export(context, chosen, kind)
    export.record("started", Outcome.OK)
    return export
