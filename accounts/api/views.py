"""Signing in, staying in, signing out, and who one is."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api import problems
from accounts.api.authentication import get_claims, get_customer
from accounts.api.context import build_context
from accounts.api.documentation import EVERYWHERE, WITH_BODY, WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.api.serializers import CustomerSerializer, LoginSerializer, RefreshSerializer, TokensSerializer
from accounts.services.sessions import OpenedSession, close_session, open_session, refresh_session

TOKENS_EXAMPLE = OpenApiExample(
    "tokens",
    response_only=True,
    value={
        "access_token": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiIuLi4ifQ.c2ln",
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_token": "pQ3c0v3lq1bq2o0gX5mZk8d1yN4rT7uWxAaBbCcDdEe",
        "refresh_expires_in": 2592000,
        "session_id": "0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44",
    },
)
LOGIN_EXAMPLE = OpenApiExample(
    "login",
    request_only=True,
    value={"username": "anna", "password": "correct horse battery staple", "device_id": "iphone-7f31"},
)
REFRESH_EXAMPLE = OpenApiExample(
    "refresh",
    request_only=True,
    value={
        "refresh_token": "pQ3c0v3lq1bq2o0gX5mZk8d1yN4rT7uWxAaBbCcDdEe",
        "attempt_id": "6f1c1d9e-3a52-4f0b-9a77-0d6a3c1b2e5f",
    },
)
CUSTOMER_EXAMPLE = OpenApiExample(
    "customer",
    response_only=True,
    value={
        "id": "0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44",
        "username": "anna",
        "first_name": "Анна",
        "last_name": "Ветрова",
        "language": "ru",
    },
)


def answer_tokens(opened: OpenedSession) -> Response:
    return Response(TokensSerializer(opened).data)


def read_body(serializer_class: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return the checked body.

    Raises: rest_framework.exceptions.ValidationError
    """
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


class LoginView(Endpoint):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(
        operation_id="login",
        summary="Sign in",
        description="Exchanges user name and password for a short access token and a refresh token. Failures are "
        "counted by user name and by address; while there were too many, the right password is refused too.",
        tags=["auth"],
        auth=[],
        request=LoginSerializer,
        responses={
            200: TokensSerializer,
            **describe_problems(*WITH_BODY, problems.AUTH_REFUSED, problems.RATE, *EVERYWHERE),
        },
        examples=[LOGIN_EXAMPLE, TOKENS_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = read_body(LoginSerializer, request)
        return answer_tokens(open_session(build_context(request), **body))


class RefreshView(Endpoint):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(
        operation_id="refresh",
        summary="Stay signed in",
        description="Exchanges a refresh token for the next pair of tokens. A refresh token works once; one that was "
        "used already revokes the whole session, because somebody else may hold it (`auth.revoked`).",
        tags=["auth"],
        auth=[],
        request=RefreshSerializer,
        responses={
            200: TokensSerializer,
            **describe_problems(
                *WITH_BODY, problems.AUTH_REFUSED, problems.AUTH_INVALID, problems.AUTH_REVOKED, *EVERYWHERE
            ),
        },
        examples=[REFRESH_EXAMPLE, TOKENS_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = read_body(RefreshSerializer, request)
        return answer_tokens(refresh_session(build_context(request), **body))


class LogoutView(Endpoint):
    @extend_schema(
        operation_id="logout",
        summary="Sign out",
        description="Revokes this device's session; its sockets are closed and its tokens work no more.",
        tags=["auth"],
        request=None,
        responses={204: None, **describe_problems(*WITH_TOKEN)},
    )
    def post(self, request: Request) -> Response:
        close_session(build_context(request), session_id=get_claims(request).session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(Endpoint):
    @extend_schema(
        operation_id="me",
        summary="Who am I",
        tags=["customer"],
        responses={200: CustomerSerializer, **describe_problems(*WITH_TOKEN)},
        examples=[CUSTOMER_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        return Response(CustomerSerializer(get_customer(request)).data)
