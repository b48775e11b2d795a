"""Logging: one JSON object per line, with ids, with secrets and personal data masked as the last step.

Everything goes through one handler: Django, Twisted, Daphne, uvicorn, aiohttp and ours.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter
from typing_extensions import override

from audit.log_context import LogContextFilter
from audit.redaction import redact_text

# Attributes every record has, and those our formatter writes itself.
STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
RENAMED: Final = {"levelname": "level", "name": "logger"}
DEEPEST: Final = 6
SECRET_NAME: Final = re.compile(
    r"(?:password|passwd|secret|token|credentials?|authorization|api[_-]?key|cookie|sessionid)$", re.IGNORECASE
)
SHORTEST_PHONE: Final = 10**10  # eleven digits
# Twisted's and Daphne's chatter at INFO says nothing an operator needs; Pillow's at DEBUG tells what pictures hold.
QUIET_LOGGERS: Final = ("daphne", "twisted", "uvicorn.error", "asyncio", "aiohttp", "axes", "urllib3", "PIL")
# uvicorn closes such a socket with 1007 and goes on: nothing an operator could do anything about.
STRANGERS_FAULTS: Final = frozenset({"Invalid UTF-8 sequence received from client."})


class RedactionFilter(logging.Filter):
    """Masks a record in place: message, extras, exception and stack. Must be the last filter of the handler.

    The message is rendered first, so that a secret split over template and arguments is seen whole.
    """

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact_text(render_message(record))
        record.args = None
        if record.exc_info:
            record.exc_text = redact_text(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = redact_text(record.exc_text)
        if record.stack_info:
            record.stack_info = redact_text(record.stack_info)
        for name, value in list(record.__dict__.items()):
            if name not in STANDARD:
                record.__dict__[name] = redact_field(name, value, DEEPEST)
        return True


class StrangersFaultFilter(logging.Filter):
    """Lowers what a server logs as its own error although a client sent it bytes that are no text."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg in STRANGERS_FAULTS:
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
            record.exc_info = None
        return True


def render_message(record: logging.LogRecord) -> str:
    """Return the message; one whose arguments do not fit its template must not lose the line nor end the caller."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} (arguments do not fit)"


def redact_field(name: str, value: Any, depth: int) -> Any:
    """Return `value` masked; a text under a secret's name is masked whatever it looks like."""
    if isinstance(value, str | bytes) and SECRET_NAME.search(name):
        return "[secret]"
    return redact_value(value, depth)


def redact_value(value: Any, depth: int) -> Any:
    """Return the extra `value` masked. Small numbers stay, deep or foreign objects become text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < SHORTEST_PHONE else "[digits]"
    if depth and isinstance(value, Mapping):
        return {redact_text(str(name)): redact_field(str(name), item, depth - 1) for name, item in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [redact_value(item, depth - 1) for item in value]
    return redact_text(str(value))


def build_logging(level: str) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`.

    level   least level of our own loggers
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "context": {"()": LogContextFilter},
            "strangers": {"()": StrangersFaultFilter},
            "redaction": {"()": RedactionFilter},
        },
        "formatters": {
            "json": {
                "()": JsonFormatter,
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
                "rename_fields": {**RENAMED, "asctime": "at"},
                "json_ensure_ascii": False,
            },
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "filters": ["context", "redaction"],
                "formatter": "json",
            },
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            **{name: {"level": "WARNING"} for name in QUIET_LOGGERS},
            "uvicorn.error": {"level": "WARNING", "filters": ["strangers"]},
            # Django gives this logger a handler of its own, which would bypass the filters.
            "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
            "django": {"handlers": [], "level": "INFO"},
        },
    }
