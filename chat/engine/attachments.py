"""The files of a prompt: which go along, and a copy at GigaChat for each, uploaded when it is needed first.

Files of the question itself must arrive, or the turn fails: an answer about a picture nobody saw would be invented.
Those of earlier messages are left out when they cannot be had.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.conf import settings

from chat.engine.persistence import persist
from chat.engine.prompt import build_pseudonym
from chat.engine.upstream import ShortCalls
from chat.enums import FileKind, FileState, Role
from chat.errors import FileUnreadable
from chat.files.names import build_neutral_name
from chat.files.storage import read_content
from chat.gigachat.errors import ContextTooLong, FileRefused, GigaChatError, ParametersRefused
from chat.gigachat.types import Attachment, AttachmentKind, Prompt
from chat.models import GigaChatFile, Message, StoredFile
from chat.services.claims import ClaimedRun
from chat.services.copies import begin_copy, fail_copy, find_copies, finish_copy

logger = logging.getLogger(__name__)

# GigaChat's limits of one request; of several documents it reads one.
MAX_IMAGES = 10
MAX_IMAGES_BYTES = 70 * 1024 * 1024
MAX_DOCUMENTS = 1
KINDS = {FileKind.IMAGE: AttachmentKind.IMAGE, FileKind.DOCUMENT: AttachmentKind.DOCUMENT}


async def attach_files(
    claimed: ClaimedRun, history: Sequence[Message], calls: ShortCalls, *, engine: str
) -> Mapping[UUID, tuple[Attachment, ...]]:
    """Return the attachments of each message that has any, every one of them usable under the prompt's client id.

    history  what goes into the prompt, oldest first, the question last, files prefetched
    Raises: GigaChatError, FileUnreadable when a file of the question cannot be sent
    """
    wanted = choose_files(history)
    if not wanted:
        return {}
    client_id = build_pseudonym(claimed.customer_id, settings.SECRET_KEY)
    copies = await persist(find_copies, [file.pk for files in wanted.values() for file in files], client_id)
    question_id = history[-1].pk
    for message_id, files in wanted.items():
        for file in files:
            if file.pk not in copies:
                sent = await send_file(
                    claimed, file, calls, client_id=client_id, engine=engine, is_needed=message_id == question_id
                )
                copies |= {file.pk: sent} if sent else {}
    return {
        message_id: tuple(build_attachment(file, copies[file.pk]) for file in files if file.pk in copies)
        for message_id, files in wanted.items()
    }


def choose_files(history: Sequence[Message]) -> dict[UUID, list[StoredFile]]:
    """Return the files to send by message: the newest of each kind, as far as one request may hold them."""
    chosen: dict[UUID, list[StoredFile]] = {}
    images = documents = images_bytes = 0
    for message in reversed(history):
        if message.role != Role.USER:
            continue
        for file in (attached.file for attached in message.attached.all()):
            if file.state != FileState.STORED:
                continue
            if file.kind == FileKind.IMAGE:
                images, images_bytes = images + 1, images_bytes + file.size_bytes
                is_room = images <= MAX_IMAGES and images_bytes <= MAX_IMAGES_BYTES
            else:
                documents += 1
                is_room = documents <= MAX_DOCUMENTS
            if is_room:
                chosen.setdefault(message.pk, []).append(file)
    return chosen


def build_attachment(file: StoredFile, provider_id: str) -> Attachment:
    return Attachment(file_id=provider_id, kind=KINDS[FileKind(file.kind)], size_bytes=file.size_bytes)


async def send_file(
    claimed: ClaimedRun, file: StoredFile, calls: ShortCalls, *, client_id: str, engine: str, is_needed: bool
) -> str | None:
    """Upload the file and return GigaChat's id of it; None when that failed and the answer can do without.

    Raises: GigaChatError, FileUnreadable when it `is_needed`
    """
    copy = await persist(begin_copy, file, client_id)
    try:
        # A thread, not the database's: this waits for the network, and holds no connection meanwhile.
        provider_id = await asyncio.to_thread(upload_copy, file, copy, calls)
    except (GigaChatError, FileUnreadable) as error:
        reason = error.code if isinstance(error, GigaChatError) else "file_unreadable"
        logger.warning("file was not sent", extra={"error": reason, "file_id": str(file.pk)})
        is_certain = isinstance(error, FileRefused | FileUnreadable)
        await persist(fail_copy, claimed, copy, reason, engine=engine, is_certain=is_certain)
        if is_needed:
            raise
        return None
    await persist(finish_copy, claimed, copy, provider_id, engine=engine)
    return provider_id


def upload_copy(file: StoredFile, copy: GigaChatFile, calls: ShortCalls) -> str:
    """Decrypt the file and send it under a name that tells GigaChat nothing of the customer. Blocks.

    Raises: GigaChatError, FileUnreadable
    """
    uploaded = calls.upload_file(
        read_content(file.pk),
        filename=build_neutral_name(copy.pk, file.media_type),
        mime=file.media_type,
        client_id=copy.client_id,
    )
    return uploaded.file_id


def blame_document(prompt: Prompt, error: ParametersRefused) -> GigaChatError:
    """Return what a refusal of the parameters means: with a document along, that it is too long for the model."""
    kinds = [attachment.kind for message in prompt.messages for attachment in message.attachments]
    if AttachmentKind.DOCUMENT in kinds and type(error) is ParametersRefused:
        return ContextTooLong(status=error.status)
    return error


def list_copies(prompt: Prompt) -> list[str]:
    """Return GigaChat's ids of all files that the prompt names."""
    return [attachment.file_id for message in prompt.messages for attachment in message.attachments]
