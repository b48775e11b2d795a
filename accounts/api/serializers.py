"""The JSON bodies of signing in and of the customer."""

from typing import Any
from uuid import uuid4

from rest_framework import serializers

from accounts.enums import Language
from accounts.models import Customer
from accounts.services.sessions import OpenedSession

MAX_PASSWORD_CHARS = 256
MAX_REFRESH_TOKEN_CHARS = 128


def build_device_id() -> str:
    return str(uuid4())


class LoginSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=MAX_PASSWORD_CHARS, trim_whitespace=False, write_only=True)
    device_id = serializers.RegexField(
        r"\A[\x21-\x7e]{1,64}\Z",
        default=build_device_id,
        trim_whitespace=False,
        help_text="The app's own name of the device, kept over restarts; a new login on it ends its older session. "
        "Made up by the server when absent.",
    )


class RefreshSerializer(serializers.Serializer[Any]):
    refresh_token = serializers.CharField(max_length=MAX_REFRESH_TOKEN_CHARS, write_only=True)
    attempt_id = serializers.UUIDField(
        default=None,
        help_text="A random UUID made for this exchange. When the answer gets lost, send the same token with the same "
        "`attempt_id` again, within a minute and before using anything newer; without it a used token revokes the "
        "session.",
    )


class TokensSerializer(serializers.Serializer[OpenedSession]):
    """A fresh pair of tokens; the refresh token works once."""

    access_token = serializers.CharField(source="access.token")
    token_type = serializers.SerializerMethodField()
    expires_in = serializers.SerializerMethodField(help_text="Life of the access token, seconds.")
    refresh_token = serializers.CharField()
    refresh_expires_in = serializers.SerializerMethodField(
        help_text="Until the session ends and the password is asked again, seconds."
    )
    session_id = serializers.UUIDField(source="session.pk")

    def get_token_type(self, _opened: OpenedSession) -> str:
        return "Bearer"

    def get_expires_in(self, opened: OpenedSession) -> int:
        issued_at = opened.session.last_used_at.replace(microsecond=0)
        return int((opened.access.expires_at - issued_at).total_seconds())

    def get_refresh_expires_in(self, opened: OpenedSession) -> int:
        return int((opened.session.expires_at - opened.session.last_used_at).total_seconds())


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    """The signed-in customer."""

    username = serializers.CharField(source="user.username")
    language = serializers.ChoiceField(choices=Language.choices)

    class Meta:
        model = Customer
        fields = ("id", "username", "first_name", "last_name", "language")
        read_only_fields = fields
