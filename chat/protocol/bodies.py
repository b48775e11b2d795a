"""Pieces that several frames share: the base of every body we send, the error object, the usage object."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from chat.protocol.codes import ErrorCode

Seq = Annotated[int, Field(ge=0, le=2**53 - 1)]
SizeBytes = Annotated[int, Field(ge=0)]
# First 16 bytes of SHA-256 over the UTF-8 text, base64url without padding.
Digest = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]


class WireBody(BaseModel):
    """The `d` of something we send, or a part of it; absent optionals are left out on the wire."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        # A default of ours is sent; export_asyncapi takes out those that are None.
        json_schema_serialization_defaults_required=True,
    )

    def to_json(self) -> str:
        """Return compact JSON with letters as they are: Russian is not escaped."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


def _derive_retryable(data: dict[str, Any]) -> bool:
    return "code" in data and data["code"].is_retryable


class ErrorBody(WireBody):
    """What went wrong: the `err` of a frame, the `error` of `turn.failed` and the body of a REST error.

    code      decides what the phone shows
    message   for developers
    trace     request id to look for in our logs
    """

    code: ErrorCode
    message: str
    retryable: bool = Field(default_factory=_derive_retryable)
    retry_after_ms: int | None = None
    field: str | None = None
    details: Mapping[str, JsonValue] | None = None
    trace: str


class FileBody(WireBody):
    """A file shown with a message; its content is at `GET /api/v1/files/{id}/content`, for its owner.

    media_type  of what is kept, which may differ from what was sent
    bytes       length of that
    gone        true when the file was deleted meanwhile
    """

    id: UUID
    kind: Literal["image", "document"]
    media_type: str
    name: str
    bytes: SizeBytes
    gone: bool | None = None


class UsageBody(WireBody):
    """Tokens of a turn: read, written, and read from the model's cache."""

    in_: int = Field(serialization_alias="in", ge=0)
    out: int = Field(ge=0)
    cached: int | None = Field(default=None, ge=0)
