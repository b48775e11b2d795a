"""How a customer proves more than an access token does: the password again, and keys of devices."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from accounts.api import problems
from accounts.api.authentication import get_claims
from accounts.api.bank.access import parse_id
from accounts.api.context import build_context
from accounts.api.documentation import WITH_BODY, WITH_TOKEN, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.api.serializers import MAX_PASSWORD_CHARS
from accounts.api.views import read_body
from accounts.device_signatures import decode_base64url, load_jwk, load_public_key
from accounts.models import DeviceKey
from accounts.selectors import get_live_session
from accounts.services.device_keys import (
    CHALLENGE_SECONDS,
    build_challenge,
    enroll_device_key,
    list_device_keys,
    revoke_device_key,
)
from accounts.services.step_up import step_up_session

MAX_KEY_CHARS = 512
MAX_PROOF_CHARS = 128
CHALLENGE = "WyIwMTk5ZjJjNCIsMTc5NTQ3ODYwMF0:1w9Zxq:Uq0k3m7C"
JWK_EXAMPLE = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
KEY_EXAMPLE = {
    "id": "0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44",
    "kid": "iphone-7f31#1",
    "device_id": "iphone-7f31",
    "created_at": "2026-11-24T12:00:00Z",
}


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "description": "SubjectPublicKeyInfo in DER, base64url without padding."},
            {
                "type": "object",
                "description": "JWK; members beside these are not looked at.",
                "properties": {name: {"type": "string"} for name in ("kty", "crv", "x", "y")},
                "required": ["kty", "crv", "x", "y"],
            },
        ]
    }
)
class PublicKeyField(serializers.Field[ec.EllipticCurvePublicKey, Any, Any, Any]):
    """A public key on P-256, as SubjectPublicKeyInfo or as JWK."""

    @override
    def to_internal_value(self, data: Any) -> ec.EllipticCurvePublicKey:
        try:
            if isinstance(data, dict):
                return load_jwk(data)
            if isinstance(data, str) and len(data) <= MAX_KEY_CHARS:
                return load_public_key(decode_base64url(data))
        except ValueError:
            pass
        raise serializers.ValidationError("a public key on P-256 as SubjectPublicKeyInfo or JWK")


class StepUpSerializer(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=MAX_PASSWORD_CHARS, trim_whitespace=False, write_only=True)


class FreshnessSerializer(serializers.Serializer[Any]):
    """How long the password counts as fresh from now, seconds."""

    fresh_seconds = serializers.IntegerField()


class ChallengeSerializer(serializers.Serializer[Any]):
    """What the new key signs, and for how long, seconds."""

    challenge = serializers.CharField()
    expires_in = serializers.IntegerField()


class EnrolmentSerializer(serializers.Serializer[Any]):
    public_key = PublicKeyField()
    challenge = serializers.CharField(max_length=256)
    proof = serializers.CharField(
        max_length=MAX_PROOF_CHARS,
        help_text="Signature of the key over `asst-enroll-v1`, a zero byte and the challenge's text: DER or 64 raw "
        "bytes, base64url without padding.",
    )


class DeviceKeySerializer(serializers.ModelSerializer[DeviceKey]):
    """A key of a device; `kid` names it in decisions."""

    kid = serializers.CharField()

    class Meta:
        model = DeviceKey
        fields = ("id", "kid", "device_id", "created_at")
        read_only_fields = fields


class DeviceKeyListSerializer(serializers.Serializer[Any]):
    """The keys that may sign."""

    results = DeviceKeySerializer(many=True)


class StepUpView(Endpoint):
    @extend_schema(
        operation_id="stepUp",
        summary="Give the password again",
        description="For `auth.step_up`: makes the session's password fresh again. Wrong passwords count together with "
        "failed logins; a wrong one does not end the session.",
        tags=["auth"],
        request=StepUpSerializer,
        responses={
            200: FreshnessSerializer,
            **describe_problems(*WITH_BODY, problems.AUTH_REFUSED, *WITH_TOKEN),
        },
        examples=[
            OpenApiExample("password", request_only=True, value={"password": "correct horse battery staple"}),
            OpenApiExample("fresh", response_only=True, value={"fresh_seconds": 300}),
        ],
    )
    def post(self, request: Request) -> Response:
        password = read_body(StepUpSerializer, request)["password"]
        claims = get_claims(request)
        step_up_session(build_context(request), session_id=claims.session_id, password=password)
        return Response({"fresh_seconds": settings.STEP_UP_SECONDS})


class DeviceKeyChallengeView(Endpoint):
    @extend_schema(
        operation_id="challengeDeviceKey",
        summary="Begin enrolling a device key",
        description="What the new key must sign; only for this session.",
        tags=["devices"],
        request=None,
        responses={200: ChallengeSerializer, **describe_problems(*WITH_TOKEN)},
        examples=[OpenApiExample("challenge", value={"challenge": CHALLENGE, "expires_in": CHALLENGE_SECONDS})],
    )
    def post(self, request: Request) -> Response:
        challenge = build_challenge(get_claims(request).session_id, timezone.now())
        return Response({"challenge": challenge, "expires_in": CHALLENGE_SECONDS})


class DeviceKeyListView(Endpoint):
    @extend_schema(
        operation_id="listDeviceKeys",
        summary="List device keys",
        description="Those that are not revoked, the newest first; revoke what you do not know.",
        tags=["devices"],
        responses={200: DeviceKeyListSerializer, **describe_problems(*WITH_TOKEN)},
        examples=[OpenApiExample("keys", response_only=True, value={"results": [KEY_EXAMPLE]})],
    )
    def get(self, request: Request) -> Response:
        rows = list_device_keys(get_claims(request).customer_id)
        return Response(DeviceKeyListSerializer({"results": rows}).data)

    @extend_schema(
        operation_id="enrollDeviceKey",
        summary="Enrol a device key",
        description="Makes this P-256 key the one with which this device approves; its older key is revoked. Needs a "
        "password that is still fresh, and a proof that the device holds the private key. The same key again is "
        "answered as before.",
        tags=["devices"],
        request=EnrolmentSerializer,
        responses={201: DeviceKeySerializer, **describe_problems(*WITH_BODY, problems.AUTH_STEP_UP, *WITH_TOKEN)},
        examples=[
            OpenApiExample(
                "enrolment",
                request_only=True,
                value={
                    "public_key": {
                        "kty": "EC",
                        "crv": "P-256",
                        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                    },
                    "challenge": CHALLENGE,
                    "proof": "MEQCIB3m0c0v3lq1bq2o0gX5mZk8d1yN4rT7uWxAaBbCcDdEAiA",
                },
            ),
            OpenApiExample("key", response_only=True, value=KEY_EXAMPLE),
        ],
    )
    def post(self, request: Request) -> Response:
        body = read_body(EnrolmentSerializer, request)
        key = enroll_device_key(
            build_context(request),
            session=get_live_session(get_claims(request).session_id),
            public_key=body["public_key"],
            challenge=body["challenge"],
            proof=decode_base64url(body["proof"]),
            now=timezone.now(),
        )
        return Response(DeviceKeySerializer(key).data, status=status.HTTP_201_CREATED)


class DeviceKeyView(Endpoint):
    @extend_schema(
        operation_id="revokeDeviceKey",
        summary="Revoke a device key",
        description="Of this device or of a lost one: it signs nothing any more. A key that was revoked before is "
        "answered the same.",
        tags=["devices"],
        request=None,
        responses={204: None, **describe_problems(problems.NOT_FOUND, *WITH_TOKEN)},
    )
    def delete(self, request: Request, key_id: str) -> Response:
        revoke_device_key(
            build_context(request),
            customer_id=get_claims(request).customer_id,
            key_id=parse_id(key_id),
            now=timezone.now(),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
