"""Files on their way to GigaChat: the real clients, the real sandbox, the real database."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer
from audit.models import AuditEntry
from chat.database import run_in_database
from chat.engine import attachments
from chat.engine.attachments import choose_files
from chat.engine.prompt import build_pseudonym
from chat.enums import CopyState, FileKind, Role
from chat.files.names import build_neutral_name
from chat.files.storage import read_content, remove_content
from chat.gigachat.errors import FunctionsUnsupported, GigaChatError, ParametersRefused
from chat.models import ConversationEvent, GigaChatFile, Message, MessageFile, Run, StoredFile
from chat.services.copies import COPY_LIFE
from chat.services.files import delete_file
from tests.chat.engine.conftest import RealBench
from tests.factories.accounts import make_customer
from tests.factories.chat import Asked, make_context
from tests.factories.files import make_image, make_pdf, make_word, store
from tests.fakes.upstream import ScriptedUpstream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def anna() -> Customer:
    return await run_in_database(make_customer, "anna")


def read_end(asked: Asked) -> tuple[str, dict[str, Any]]:
    row = ConversationEvent.objects.filter(conversation_id=asked.conversation_id).latest("seq")
    return row.type, orjson.loads(row.body)


def read_answer(asked: Asked) -> str:
    return Message.objects.filter(turn_id=asked.accepted.turn_id, role=Role.ASSISTANT).get().text


def list_copies() -> list[GigaChatFile]:
    return list(GigaChatFile.objects.order_by("uploaded_at"))


def list_details(action: str) -> list[dict[str, Any]]:
    rows = AuditEntry.objects.filter(action=action).order_by("occurred_at")
    return [orjson.loads(bytes(row.body))["details"] | {"outcome": row.outcome} for row in rows]


def list_attachments(real: RealBench, question: int = -1) -> list[list[str]]:
    """Return the attachments of each customer's message in one of the prompts GigaChat got."""
    body = real.sandbox.stats.recent[question].body
    return [message.get("attachments", []) for message in body["messages"] if message["role"] == "user"]


async def test_question_with_a_picture_is_answered_by_a_model_that_sees(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna, name="секретный отпуск.png")

    asked = await real.answer(anna, file_ids=(file.pk,))

    [copy] = await run_in_database(list_copies)
    pseudonym = build_pseudonym(anna.pk, django_settings.SECRET_KEY)
    assert (copy.file_id, copy.client_id, copy.state) == (file.pk, pseudonym, CopyState.UPLOADED)
    assert copy.expires_at - copy.uploaded_at == COPY_LIFE == timedelta(hours=24)
    [there] = real.sandbox.state.files._files.values()
    assert (there.id, there.filename, there.mime, there.purpose) == (
        copy.provider_id,
        build_neutral_name(copy.pk, "image/png"),
        "image/png",
        "general",
    )
    assert there.content == await run_in_database(read_content, file.pk)
    assert there.owner[1] == copy.client_id
    request = real.sandbox.stats.recent[-1]
    assert request.headers["X-Client-ID"] == copy.client_id
    assert request.body["model"] == "GigaChat-2-Pro"
    assert list_attachments(real) == [[copy.provider_id]]
    assert "image/png" in await run_in_database(read_answer, asked)
    run = await run_in_database(Run.objects.get)
    assert run.model == "GigaChat-2-Pro"
    [sent] = await run_in_database(list_details, "file.sent")
    assert sent == {"file": str(file.pk), "copy": str(copy.pk), "reason": "", "outcome": "ok"}


async def test_question_with_a_document_keeps_the_usual_model(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna, make_word(), name="договор.docx")

    await real.answer(anna, "О чём договор?", file_ids=(file.pk,))

    assert real.sandbox.stats.recent[-1].body["model"] == django_settings.GIGACHAT_MODEL
    [there] = real.sandbox.state.files._files.values()
    assert (there.modality, there.filename.endswith(".docx")) == ("text", True)


async def test_next_question_sends_the_file_along_without_uploading_it_again(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna)
    first = await real.answer(anna, file_ids=(file.pk,))

    await real.answer(anna, "А подробнее?", conversation_id=first.conversation_id)

    [copy] = await run_in_database(list_copies)
    assert list_attachments(real) == [[copy.provider_id], []]
    assert real.sandbox.stats.recent[-1].body["model"] == "GigaChat-2-Pro"
    assert real.sandbox.stats.requests["POST /files"] == 1


async def test_same_file_in_another_conversation_uses_the_same_copy(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna)

    await real.answer(anna, file_ids=(file.pk,))
    await real.answer(anna, file_ids=(file.pk,))

    assert len(await run_in_database(list_copies)) == 1
    assert real.sandbox.stats.requests["POST /files"] == 1


@pytest.mark.parametrize("left", [timedelta(0), timedelta(minutes=14)])
async def test_copy_at_its_end_is_uploaded_again(real: RealBench, anna: Customer, left: timedelta) -> None:
    file = await run_in_database(store, anna)
    first = await real.answer(anna, file_ids=(file.pk,))
    moment = timezone.now() + left
    await run_in_database(lambda: GigaChatFile.objects.update(expires_at=moment))

    await real.answer(anna, "Ещё раз", conversation_id=first.conversation_id)

    old, new = await run_in_database(list_copies)
    assert old.provider_id != new.provider_id
    assert list_attachments(real) == [[new.provider_id], []]


@pytest.mark.parametrize("is_foreign", [False, True])
async def test_vanished_file_is_uploaded_again_unnoticed(real: RealBench, anna: Customer, is_foreign: bool) -> None:
    """404 when GigaChat forgot the file, 403 when it thinks that it is another client's."""
    file = await run_in_database(store, anna)
    first = await real.answer(anna, file_ids=(file.pk,))
    files = real.sandbox.state.files._files
    if is_foreign:
        [(key, known)] = files.items()
        object.__setattr__(known, "owner", (known.owner[0], "somebody"))
        assert key in files
    else:
        files.clear()

    asked = await real.answer(anna, "А теперь?", conversation_id=first.conversation_id)

    old, new = await run_in_database(list_copies)
    assert (old.state, new.state) == (CopyState.LOST, CopyState.UPLOADED)
    assert old.ended_at is not None
    assert list_attachments(real) == [[new.provider_id], []]
    kind, _body = await run_in_database(read_end, asked)
    assert kind == "turn.completed"
    events = await run_in_database(list_types, asked.conversation_id)
    assert events.count("turn.failed") == events.count("msg.reset") == 0


def list_types(conversation_id: UUID) -> list[str]:
    return list(ConversationEvent.objects.filter(conversation_id=conversation_id).values_list("type", flat=True))


async def test_file_that_vanishes_again_and_again_ends_the_turn(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna)
    real.sandbox.state.files._lifetime_seconds = -1.0

    asked = await real.answer(anna, file_ids=(file.pk,))

    kind, body = await run_in_database(read_end, asked)
    assert (kind, body["error"]["code"]) == ("turn.failed", "server.internal")
    assert real.sandbox.stats.requests["POST /files"] == 2


async def test_file_of_the_question_that_cannot_be_sent_ends_the_turn_before_the_model_is_asked(
    real: RealBench, anna: Customer
) -> None:
    file = await run_in_database(store, anna)
    real.sandbox.faults.add("503", path="/files")

    asked = await real.answer(anna, file_ids=(file.pk,))

    kind, body = await run_in_database(read_end, asked)
    assert (kind, body["error"]["code"]) == ("turn.failed", "upstream.unavailable")
    assert real.sandbox.stats.chat_calls == 0
    # Nobody knows whether it arrived: the sweeper looks for it.
    [copy] = await run_in_database(list_copies)
    assert (copy.state, copy.provider_id) == (CopyState.SENDING, None)
    [sent] = await run_in_database(list_details, "file.sent")
    assert (sent["reason"], sent["outcome"]) == ("server_failed", "failed")


async def test_earlier_file_that_cannot_be_sent_is_left_out(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna)
    first = await real.answer(anna, file_ids=(file.pk,))
    await run_in_database(lambda: GigaChatFile.objects.update(expires_at=timezone.now()))
    real.sandbox.faults.add("503", path="/files")

    asked = await real.answer(anna, "И ещё?", conversation_id=first.conversation_id)

    assert list_attachments(real) == [[], []]
    assert (await run_in_database(read_end, asked))[0] == "turn.completed"


async def test_file_whose_bytes_are_gone_ends_the_turn_and_makes_no_copy(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna)
    await run_in_database(remove_content, file.pk)

    asked = await real.answer(anna, file_ids=(file.pk,))

    kind, body = await run_in_database(read_end, asked)
    assert (kind, body["error"]["code"]) == ("turn.failed", "server.internal")
    [copy] = await run_in_database(list_copies)
    assert copy.state == CopyState.LOST
    assert real.sandbox.stats.requests["POST /files"] == 0
    [sent] = await run_in_database(list_details, "file.sent")
    assert sent["reason"] == "file_unreadable"


async def test_file_deleted_before_the_answer_is_not_sent(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna)
    first = await real.answer(anna, file_ids=(file.pk,))
    await run_in_database(delete_file, make_context(anna), customer_id=anna.pk, file_id=file.pk)

    await real.answer(anna, "И ещё?", conversation_id=first.conversation_id)

    assert list_attachments(real) == [[], []]
    assert real.sandbox.stats.recent[-1].body["model"] == django_settings.GIGACHAT_MODEL


async def test_vision_model_is_a_setting(real: RealBench, anna: Customer, settings: Settings) -> None:
    settings.GIGACHAT_VISION_MODEL = "GigaChat-2-Max"
    file = await run_in_database(store, anna)

    await real.answer(anna, file_ids=(file.pk,))

    assert real.sandbox.stats.recent[-1].body["model"] == "GigaChat-2-Max"


async def test_upload_of_a_large_file_leaves_the_loop_and_the_database_free(real: RealBench, anna: Customer) -> None:
    """The engine answers others while a file waits for the network."""
    file = await run_in_database(store, anna, b"a" * 20_000_000, name="big.txt")
    real.sandbox.faults.add("slow_first_byte=1", path="/files")
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await run_in_database(StoredFile.objects.count)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await real.answer(anna, "О чём?", file_ids=(file.pk,))
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)

    assert ticks > 5


@pytest.mark.parametrize(
    ("content", "error", "code"),
    [
        (make_pdf(), ParametersRefused(status=422), "upstream.context"),
        (make_pdf(), FunctionsUnsupported(status=422), "server.internal"),
        (make_image(), ParametersRefused(status=422), "server.internal"),
    ],
)
async def test_document_too_long_for_the_model_is_told_so(
    real: RealBench, anna: Customer, content: bytes, error: GigaChatError, code: str
) -> None:
    file = await run_in_database(store, anna, content)
    real.bench = replace(real.bench, upstream=ScriptedUpstream([error]))

    asked = await real.answer(anna, "О чём это?", file_ids=(file.pk,))

    kind, body = await run_in_database(read_end, asked)
    assert (kind, body["error"]["code"]) == ("turn.failed", code)


def build_history(files: list[tuple[FileKind, int]]) -> list[Message]:
    """Return unsaved questions with one file each, oldest first."""
    history = []
    for kind, size_bytes in files:
        message = Message(role=Role.USER, text="?")
        file = StoredFile(kind=kind, size_bytes=size_bytes)
        prefetched = [MessageFile(message=message, file=file, position=0)]
        message._prefetched_objects_cache = {"attached": prefetched}  # type: ignore[attr-defined]
        history += [message, Message(role=Role.ASSISTANT, text="!")]
    return history[:-1]


def count_chosen(files: list[tuple[FileKind, int]]) -> list[bool]:
    history = build_history(files)
    chosen = choose_files(history)
    return [message.pk in chosen for message in history if message.role == Role.USER]


def test_choose_files_keeps_the_newest_ten_pictures() -> None:
    assert count_chosen([(FileKind.IMAGE, 1)] * 12) == [False] * 2 + [True] * 10


def test_choose_files_keeps_the_newest_document_only() -> None:
    kinds = [(FileKind.DOCUMENT, 1), (FileKind.IMAGE, 1), (FileKind.DOCUMENT, 1), (FileKind.IMAGE, 1)]

    assert count_chosen(kinds) == [False, True, True, True]


def test_choose_files_stays_below_the_sum_of_a_request() -> None:
    large = (FileKind.IMAGE, 15 * 1024 * 1024)

    assert count_chosen([large] * 6) == [False] * 2 + [True] * 4
    assert attachments.MAX_IMAGES_BYTES < 80_000_000


async def test_pdf_is_sent_with_its_own_mime_and_name(real: RealBench, anna: Customer) -> None:
    file = await run_in_database(store, anna, make_pdf(), name="x.txt")
    picture = await run_in_database(store, anna, make_image("JPEG"))

    first = await real.answer(anna, file_ids=(file.pk,))
    await real.answer(anna, file_ids=(picture.pk,), conversation_id=first.conversation_id)

    kinds = [(there.mime, there.filename.rpartition(".")[2]) for there in real.sandbox.state.files._files.values()]
    assert kinds == [("application/pdf", "pdf"), ("image/jpeg", "jpg")]
    assert [len(found) for found in list_attachments(real)] == [1, 1]
