"""The sweeper against the real sandbox: what goes, what stays, and that it may run at any time."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer
from audit.context import build_system_context
from audit.enums import Origin
from audit.models import AuditEntry
from chat.database import run_in_database
from chat.engine import sweep
from chat.engine.sweep import SweepReport, sweep_files
from chat.enums import CopyState, FileState
from chat.errors import FileUnreadable
from chat.files.names import build_neutral_name
from chat.files.storage import read_content, write_content
from chat.models import GigaChatFile, Message, StoredFile, Turn
from chat.services import copies
from chat.services.conversations import close_conversation
from chat.services.copies import begin_copy
from chat.services.file_upkeep import UNUSED_LIFE, is_used, retire_file
from chat.services.files import attach_files, delete_file
from tests.chat.engine.conftest import RealBench
from tests.chat.files.test_storage import build_id
from tests.factories.accounts import make_customer
from tests.factories.chat import ask, make_context
from tests.factories.files import make_image, store

pytestmark = pytest.mark.django_db(transaction=True)
COMMAND = build_system_context(Origin.COMMAND, "sweep_files")


@pytest.fixture
async def anna() -> Customer:
    return await run_in_database(make_customer, "anna")


async def run_sweep(real: RealBench, *, later: timedelta = timedelta(0)) -> SweepReport:
    """Sweep on a thread, as of `later` from now: the sandbox lives in this loop."""
    return await run_in_database(sweep_files, real.calls, COMMAND, timezone.now() + later)


def get_copy() -> GigaChatFile:
    return GigaChatFile.objects.get()


def list_reasons(action: str) -> list[Any]:
    rows = AuditEntry.objects.filter(action=action).order_by("occurred_at")
    return [orjson.loads(bytes(row.body))["details"]["reason"] for row in rows]


def count_there(real: RealBench) -> int:
    return len(real.sandbox.state.files._files)


async def use_file(real: RealBench, customer: Customer) -> tuple[StoredFile, UUID]:
    """Return a file that GigaChat has, and the conversation it was sent in."""
    file = await run_in_database(store, customer)
    asked = await real.answer(customer, file_ids=(file.pk,))
    return file, asked.conversation_id


async def close(customer: Customer, conversation_id: UUID) -> None:
    context = make_context(customer)
    await run_in_database(close_conversation, context, customer_id=customer.pk, conversation_id=conversation_id)


async def test_sweep_leaves_what_is_in_use(real: RealBench, anna: Customer) -> None:
    file, _conversation = await use_file(real, anna)

    assert await run_sweep(real) == SweepReport()

    assert (await run_in_database(get_copy)).state == CopyState.UPLOADED
    assert count_there(real) == 1
    assert await run_in_database(read_content, file.pk)


async def test_sweep_deletes_an_expired_copy_and_keeps_the_original(real: RealBench, anna: Customer) -> None:
    file, _conversation = await use_file(real, anna)

    report = await run_sweep(real, later=timedelta(hours=24))

    assert report == SweepReport(withdrawn=1)
    copy = await run_in_database(get_copy)
    assert (copy.state, copy.ended_at is not None) == (CopyState.DELETED, True)
    assert count_there(real) == 0
    assert await run_in_database(read_content, file.pk)
    assert await run_in_database(list_reasons, "file.withdrawn") == ["expired"]
    assert await run_sweep(real, later=timedelta(hours=24)) == SweepReport()


async def test_sweep_deletes_copies_of_closed_conversations_only(real: RealBench, anna: Customer) -> None:
    file, first = await use_file(real, anna)
    second = await real.answer(anna, file_ids=(file.pk,))
    await close(anna, first)
    assert await run_sweep(real) == SweepReport()

    await close(anna, second.conversation_id)

    assert await run_sweep(real) == SweepReport(withdrawn=1)
    assert count_there(real) == 0
    assert await run_in_database(list_reasons, "file.withdrawn") == ["conversation_closed"]


async def test_sweep_deletes_copies_of_deleted_files(real: RealBench, anna: Customer) -> None:
    file, _conversation = await use_file(real, anna)
    await run_in_database(delete_file, make_context(anna), customer_id=anna.pk, file_id=file.pk)

    assert await run_sweep(real) == SweepReport(withdrawn=1)

    assert count_there(real) == 0
    assert await run_in_database(list_reasons, "file.withdrawn") == ["file_deleted"]


async def test_sweep_of_a_copy_that_is_gone_already_notes_it_lost(real: RealBench, anna: Customer) -> None:
    await use_file(real, anna)
    real.sandbox.state.files._files.clear()

    assert await run_sweep(real, later=timedelta(hours=25)) == SweepReport(vanished=1)

    assert (await run_in_database(get_copy)).state == CopyState.LOST


async def test_sweep_finds_the_copy_of_an_upload_that_was_never_heard_of(real: RealBench, anna: Customer) -> None:
    """The process died between GigaChat's answer and the register."""
    file = await run_in_database(store, anna)
    copy = await run_in_database(begin_copy, file, "pseudonym")
    await asyncio.to_thread(upload, real, copy, "image/png")
    assert await run_sweep(real) == SweepReport()
    assert count_there(real) == 1

    report = await run_sweep(real, later=timedelta(minutes=31))

    assert report == SweepReport(orphans=1)
    assert count_there(real) == 0
    assert (await run_in_database(get_copy)).state == CopyState.DELETED
    assert await run_in_database(list_reasons, "file.withdrawn") == ["orphan"]


def upload(real: RealBench, copy: GigaChatFile, mime: str, filename: str = "") -> str:
    name = filename or build_neutral_name(copy.pk, mime)
    return real.calls.upload_file(b"x" * 100, filename=name, mime=mime, client_id=copy.client_id).file_id


async def test_sweep_gives_up_an_upload_that_never_arrived(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna)
    await run_in_database(begin_copy, file, "pseudonym")

    assert await run_sweep(real, later=timedelta(minutes=31)) == SweepReport(given_up=1)

    assert (await run_in_database(get_copy)).state == CopyState.LOST
    assert await run_sweep(real, later=timedelta(minutes=31)) == SweepReport()


async def test_sweep_touches_nothing_that_is_not_ours(real: RealBench, anna: Customer) -> None:
    """The account may serve other systems, or another installation of this one."""
    file, _conversation = await use_file(real, anna)
    copy = await run_in_database(get_copy)
    for filename in ("report.pdf", "image.png", f"image-{uuid4()}.png"):
        await asyncio.to_thread(upload, real, copy, "image/png", filename)

    assert await run_sweep(real, later=timedelta(hours=1)) == SweepReport()

    assert count_there(real) == 4
    assert file.state == FileState.STORED


async def test_sweep_deletes_a_second_file_of_a_copy_and_keeps_the_usable_one(real: RealBench, anna: Customer) -> None:
    await use_file(real, anna)
    copy = await run_in_database(get_copy)
    await asyncio.to_thread(upload, real, copy, "image/png")

    assert await run_sweep(real, later=timedelta(hours=1)) == SweepReport(orphans=1)

    assert (await run_in_database(get_copy)).state == CopyState.UPLOADED
    assert list(real.sandbox.state.files._files) == [copy.provider_id]


async def test_sweep_while_gigachat_is_away_cleans_up_here_and_says_so(real: RealBench, anna: Customer) -> None:
    await use_file(real, anna)
    unused = await run_in_database(store, anna)
    real.sandbox.faults.add("503", path="/files")

    report = await run_sweep(real, later=timedelta(hours=25))

    assert report == SweepReport(retired=1, fault="server_failed")
    assert (await run_in_database(get_copy)).state == CopyState.UPLOADED
    with pytest.raises(FileUnreadable):
        await run_in_database(read_content, unused.pk)
    real.sandbox.faults.clear()
    assert await run_sweep(real, later=timedelta(hours=25)) == SweepReport(withdrawn=1)


async def test_two_sweeps_at_once_do_everything_once(real: RealBench, anna: Customer) -> None:
    for _ in range(3):
        await use_file(real, anna)

    reports = await asyncio.gather(*(run_sweep(real, later=timedelta(hours=25)) for _ in range(2)))

    assert sum(report.withdrawn for report in reports) == 3
    assert count_there(real) == 0
    states = await run_in_database(lambda: set(GigaChatFile.objects.values_list("state", flat=True)))
    assert states <= {CopyState.DELETED, CopyState.LOST}


async def test_sweep_works_through_more_than_one_batch(
    real: RealBench, anna: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "BATCH", 1)
    for _ in range(3):
        await use_file(real, anna)

    assert (await run_sweep(real, later=timedelta(hours=25))).withdrawn == 3


async def test_sweep_retires_files_nobody_asked_about(real: RealBench, anna: Customer) -> None:
    used, _conversation = await use_file(real, anna)
    unused = await run_in_database(store, anna)
    assert (await run_sweep(real, later=UNUSED_LIFE - timedelta(minutes=1))).retired == 0

    report = await run_sweep(real, later=UNUSED_LIFE + timedelta(minutes=1))

    assert report.retired == 1
    states = await run_in_database(lambda: dict(StoredFile.objects.values_list("pk", "state")))
    assert states == {used.pk: FileState.STORED, unused.pk: FileState.ERASED}
    assert await run_in_database(list_reasons, "file.deleted") == ["unused"]


async def test_sweep_retires_files_past_their_retention(real: RealBench, anna: Customer, settings: Settings) -> None:
    settings.FILE_RETENTION_DAYS = 30
    await use_file(real, anna)
    assert (await run_sweep(real, later=timedelta(days=29))).retired == 0

    report = await run_sweep(real, later=timedelta(days=31))

    assert report.retired == 1
    assert (await run_in_database(StoredFile.objects.get)).state == FileState.ERASED
    assert await run_in_database(list_reasons, "file.deleted") == ["retention"]


async def test_sweep_erases_what_a_failing_storage_kept(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna)
    now = timezone.now()
    await run_in_database(lambda: StoredFile.objects.update(state=FileState.DELETED, deleted_at=now))

    assert await run_sweep(real) == SweepReport(erased=1)

    assert (await run_in_database(StoredFile.objects.get)).state == FileState.ERASED
    with pytest.raises(FileUnreadable):
        await run_in_database(read_content, file.pk)


async def test_sweep_removes_bytes_without_a_row_once_they_are_old(real: RealBench, anna: Customer) -> None:
    kept = await run_in_database(store, anna)
    now = timezone.now()
    young, old = build_id(now - timedelta(minutes=50)), build_id(now - timedelta(minutes=70))
    for file_id in (young, old):
        await run_in_database(write_content, file_id, make_image())

    assert await run_sweep(real) == SweepReport(strays=1)

    for file_id in (kept.pk, young):
        assert await run_in_database(read_content, file_id)
    with pytest.raises(FileUnreadable):
        await run_in_database(read_content, old)


def test_retire_file_that_was_attached_meanwhile_keeps_it() -> None:
    anna = make_customer()
    file = store(anna)
    due = sweep_condition(timezone.now() + timedelta(days=2))
    asked = ask(anna)
    attach_again(anna, asked.turn.pk, file.pk)

    assert retire_file(COMMAND, file.pk, due) is False
    assert StoredFile.objects.get().state == FileState.STORED


def test_retire_file_that_was_deleted_meanwhile_does_nothing() -> None:
    anna = make_customer()
    file = store(anna)
    delete_file(make_context(anna), customer_id=anna.pk, file_id=file.pk)

    assert retire_file(COMMAND, file.pk, sweep_condition(timezone.now() + timedelta(days=2))) is False
    assert AuditEntry.objects.filter(action="file.deleted").count() == 1


def sweep_condition(now: datetime) -> Q:
    return Q(~is_used(), created_at__lt=now - UNUSED_LIFE)


def attach_again(customer: Customer, turn_id: UUID, file_id: UUID) -> None:
    turn = Turn.objects.get(pk=turn_id)
    message = Message.objects.get(pk=turn.question_id)
    with transaction.atomic():
        attach_files(make_context(customer), turn, message, customer_id=customer.pk, file_ids=(file_id,))


def test_sending_life_is_longer_than_any_turn(settings: Settings) -> None:
    assert sweep.SENDING_LIFE.total_seconds() > settings.ENGINE_TURN_SECONDS
