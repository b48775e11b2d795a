"""The body of a REST request is read as strictly as a frame of the socket."""

from collections.abc import Mapping
from typing import IO, Any

from pydantic import JsonValue
from rest_framework.parsers import BaseParser
from typing_extensions import override

from accounts.api import problems
from accounts.api.problems import ApiError
from chat.protocol.codes import ErrorCode, ProtocolError
from chat.protocol.frames import MAX_FRAME_BYTES, parse_json_strict


class StrictJSONParser(BaseParser):
    """Accepts one JSON object of at most 64 KiB: no repeated keys, no NaN, no lone surrogates, bounded depth."""

    media_type = "application/json"

    @override
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, JsonValue]:
        """Return the object.

        Raises: ApiError (request.invalid, limit.size)
        """
        raw = stream.read(MAX_FRAME_BYTES + 1)
        if len(raw) > MAX_FRAME_BYTES:
            raise ApiError(problems.TOO_BIG)
        try:
            return parse_json_strict(raw.decode("utf-8"))
        except UnicodeDecodeError:
            raise ApiError(problems.INVALID, message="the body is not UTF-8") from None
        except ProtocolError as error:
            if error.code == ErrorCode.PROTO_MALFORMED:
                raise ApiError(problems.INVALID, message="the body is not JSON") from None
            raise ApiError(problems.INVALID, message=error.message, field=error.field) from None
