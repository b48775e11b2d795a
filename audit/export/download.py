"""An export as the body of an HTTP answer: read on a thread of its own, one piece ahead of nobody.

Under ASGI Django would collect a synchronous iterator before sending its first byte, so this is an asynchronous one.
The next piece is read only when the server took the last, so a slow reader costs no memory.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor

from django.db import connections
from django.http import StreamingHttpResponse
from django.utils import timezone

from audit.export.job import Export

logger = logging.getLogger(__name__)


def build_download(export: Export) -> StreamingHttpResponse:
    """Return the answer that streams `export` as a file."""
    name = f"audit-{timezone.now():%Y%m%dT%H%M%SZ}-{export.id}.{export.kind.value}"
    return StreamingHttpResponse(
        stream_chunks(export),
        content_type=export.kind.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            # A proxy that collects the answer would undo the flat memory.
            "X-Accel-Buffering": "no",
        },
    )


async def stream_chunks(export: Export) -> AsyncIterator[bytes]:
    """Yield the pieces of `export`; however the reader leaves, its end is recorded and its connections closed."""
    chunks: Generator[bytes, None, None] = iter(export)
    # One thread: Django's and psycopg's connections stay where they were made, and the end below waits its turn
    # behind a read that a cancelled reader left unfinished.
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit-export")
    loop = asyncio.get_running_loop()
    try:
        while chunk := await loop.run_in_executor(executor, next, chunks, b""):
            yield chunk
    finally:
        executor.submit(end_export, chunks)
        executor.shutdown(wait=False)


def end_export(chunks: Generator[bytes, None, None]) -> None:
    """Close the generator, which records an unfinished export as aborted, and give this thread's connections back."""
    try:
        chunks.close()
    except Exception:
        # The edge of a thread: nobody is left to raise to.
        logger.exception("the end of an export could not be recorded")
    finally:
        connections.close_all()
