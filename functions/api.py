"""The keys with which phones check what we signed; open to everybody, because they are public."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.documentation import EVERYWHERE, describe_problems
from accounts.api.endpoint import Endpoint
from accounts.keys import build_jwk
from functions.confirmations.server_key import get_public_keys

ALGORITHM = "ES256"


class JsonWebKeySerializer(serializers.Serializer[Any]):
    """A public key on P-256 (RFC 7517); `kid` is its thumbprint (RFC 7638)."""

    kty = serializers.CharField()
    crv = serializers.CharField()
    x = serializers.CharField()
    y = serializers.CharField()
    kid = serializers.CharField()
    use = serializers.CharField()
    alg = serializers.CharField()


class KeySetSerializer(serializers.Serializer[Any]):
    """Today's signing key first, then those that signed older receipts."""

    keys = JsonWebKeySerializer(many=True)


class KeySetView(Endpoint):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(
        operation_id="listKeys",
        summary="Keys that sign payloads and receipts",
        description="Find the key by the `kid` beside an `ssig`. Signatures are DER in base64url: of a payload over "
        "`asst-payload-v1`, a zero byte and the payload; of a receipt over `asst-receipt-v1`, a zero byte and the "
        "receipt.",
        tags=["devices"],
        auth=[],
        responses={200: KeySetSerializer, **describe_problems(*EVERYWHERE)},
        examples=[
            OpenApiExample(
                "keys",
                value={
                    "keys": [
                        {
                            "kty": "EC",
                            "crv": "P-256",
                            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                            "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
                            "use": "sig",
                            "alg": ALGORITHM,
                        }
                    ]
                },
            )
        ],
    )
    def get(self, _request: Request) -> Response:
        keys = [
            {**build_jwk(key), "kid": kid, "use": "sig", "alg": ALGORITHM} for kid, key in get_public_keys().items()
        ]
        return Response({"keys": keys})
