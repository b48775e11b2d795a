"""Customers' files by HTTP: store one, look at it, fetch it, delete it. A message refers to it by its id."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from accounts.api import problems
from accounts.api.authentication import get_claims
from accounts.api.context import build_context
from accounts.api.documentation import WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.api.problems import ApiError, Problem
from audit.enums import AuditAction
from audit.journal import record_refusal
from chat.api.uploads import FIELD, MAX_BODY_BYTES, TOO_MANY, UNUSABLE, read_upload
from chat.enums import FileKind
from chat.errors import FileRefused, FileTooBig, FileUnknown, TooManyFiles
from chat.files.cleaning import SUFFIXES
from chat.files.storage import read_content
from chat.models import StoredFile
from chat.selectors import access_file
from chat.services.files import delete_file, store_file

FILE_NOT_FOUND = Problem(404, "file.not_found", "there is no such file of yours")
FILE_ID = "0199f2c4-7c11-7a2b-8c3d-4e5f60718293"
FILE_EXAMPLE = OpenApiExample(
    "file",
    response_only=True,
    value={
        "id": FILE_ID,
        "kind": "image",
        "media_type": "image/jpeg",
        "name": "Счёт за ноябрь.jpg",
        "bytes": 482_113,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "created_at": "2026-11-24T09:15:01.820000Z",
    },
)
ID_PARAMETER = OpenApiParameter("file_id", UUID, OpenApiParameter.PATH, description="The file.")
CONTENT_TYPES = sorted(SUFFIXES)
REFUSALS = {
    "bytes": "more than 15 MB of a picture or 40 MB of a document",
    "pixels": "more than 50 million pixels, or a side of more than 30 000",
    "unpacked": "the document unpacks to too much",
    "empty": "the file is empty",
    "unknown": "none of jpeg, png, tiff, bmp, pdf, docx and text in UTF-8 or CP1251",
    "broken": "the file is damaged, cut or not only what it seems",
    "encrypted": "the document is encrypted",
    "macros": "the document holds macros",
}


class UploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="jpeg, png, tiff, bmp to 15 MB; pdf, docx, txt to 40 MB.")


class FileSerializer(serializers.ModelSerializer[StoredFile]):
    """A stored file; `bytes`, `media_type` and `sha256` are those of what is kept, which may not be what was sent."""

    kind = serializers.ChoiceField(choices=FileKind.choices)
    bytes = serializers.IntegerField(source="size_bytes")

    class Meta:
        model = StoredFile
        fields = ("id", "kind", "media_type", "name", "bytes", "sha256", "created_at")
        read_only_fields = fields


def access_own_file(request: Request, file_id: str) -> StoredFile:
    """Return the bearer's file; foreign, unknown, deleted and misspelt ids get the same refusal and audit entry.

    Raises: ApiError (file.not_found)
    """
    customer_id = get_claims(request).customer_id
    try:
        return access_file(customer_id, parse_id(file_id))
    except FileUnknown as error:
        raise refuse_stranger(request, error) from None


def parse_id(file_id: str) -> UUID:
    try:
        return UUID(file_id)
    except ValueError:
        return UUID(int=0)


def refuse_stranger(request: Request, error: FileUnknown) -> ApiError:
    """Record that the file was asked for, and return what to raise."""
    record_refusal(
        build_context(request),
        AuditAction.ACCESS_DENIED,
        subject="file",
        subject_id=str(error.file_id),
        customer_id=get_claims(request).customer_id,
    )
    return ApiError(FILE_NOT_FOUND)


def to_api_error(error: FileRefused | TooManyFiles) -> ApiError:
    """Return the API's words for a file that is not kept; `details.reason` is one of REFUSALS."""
    if isinstance(error, TooManyFiles):
        seconds = -(-error.retry_after_ms // 1000)
        return ApiError(problems.RATE, message=f"{error.limit} files per hour", retry_after_seconds=seconds)
    return ApiError(
        problems.TOO_BIG if isinstance(error, FileTooBig) else UNUSABLE,
        message=REFUSALS[error.reason],
        field=FIELD,
        details={"reason": error.reason},
    )


class FileListView(Endpoint):
    parser_classes = (MultiPartParser,)

    @override
    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # Sent in chunks: its size is not known, and the body must not be read here whole.
        if not request.META.get("CONTENT_LENGTH"):
            request.META["CONTENT_LENGTH"] = str(MAX_BODY_BYTES)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="storeFile",
        summary="Store a file",
        description="One picture or document to ask about: `turn.submit` takes its id. What it is, its content says, "
        "never its name. A picture is written anew, upright and without metadata such as the place it was taken; tiff "
        "and bmp become png or jpeg. Text is kept in UTF-8. A file that no message uses is removed after a day. "
        "`limit.size` and `request.media_type` tell in `details.reason` why a file is refused.",
        tags=["files"],
        request={"multipart/form-data": UploadSerializer},
        responses={
            201: FileSerializer,
            **describe_problems(problems.INVALID, TOO_MANY, problems.TOO_BIG, UNUSABLE, *WITH_TOKEN),
        },
        examples=[FILE_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        name, content = read_upload(request)
        customer_id = get_claims(request).customer_id
        try:
            file = store_file(build_context(request), customer_id=customer_id, name=name, content=content)
        except (FileRefused, TooManyFiles) as error:
            raise to_api_error(error) from None
        return Response(FileSerializer(file).data, status=status.HTTP_201_CREATED)


class FileView(Endpoint):
    @extend_schema(
        operation_id="getFile",
        summary="Read what is known of a file",
        description="Somebody else's file looks like one that does not exist.",
        tags=["files"],
        parameters=[ID_PARAMETER],
        responses={200: FileSerializer, **describe_problems(FILE_NOT_FOUND, *WITH_TOKEN)},
        examples=[FILE_EXAMPLE],
    )
    def get(self, request: Request, file_id: str) -> Response:
        return Response(FileSerializer(access_own_file(request, file_id)).data)

    @extend_schema(
        operation_id="deleteFile",
        summary="Delete a file",
        description="It is out of reach at once, also for answers not yet given. Messages keep its name.",
        tags=["files"],
        parameters=[ID_PARAMETER],
        responses={204: None, **describe_problems(FILE_NOT_FOUND, *WITH_TOKEN)},
    )
    def delete(self, request: Request, file_id: str) -> Response:
        customer_id = get_claims(request).customer_id
        try:
            delete_file(build_context(request), customer_id=customer_id, file_id=parse_id(file_id))
        except FileUnknown as error:
            raise refuse_stranger(request, error) from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class FileContentView(Endpoint):
    @extend_schema(
        operation_id="getFileContent",
        summary="Fetch a file",
        description="What is kept, decrypted; for its owner only.",
        tags=["files"],
        parameters=[ID_PARAMETER],
        responses={
            **{(200, kind): OpenApiResponse(OpenApiTypes.BINARY) for kind in CONTENT_TYPES},
            **describe_problems(FILE_NOT_FOUND, *WITH_TOKEN),
        },
    )
    def get(self, request: Request, file_id: str) -> HttpResponse:
        file = access_own_file(request, file_id)
        response = HttpResponse(read_content(file.pk), content_type=file.media_type)
        if file.media_type == "text/plain":
            response["Content-Type"] = "text/plain; charset=utf-8"
        # Never a page of ours, whatever a browser makes of the content.
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        response["X-Content-Type-Options"] = "nosniff"
        return response
