"""What every REST view of the project is: JSON whatever was asked for, never cached, never guessed at."""

from typing import Any

from django.http import HttpRequest
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from typing_extensions import override


class Endpoint(APIView):
    """Base of all views: answers hold personal data, so no cache on the way keeps them."""

    # Without `options`: what the API offers is in its OpenAPI document, and browsers of other origins have no business.
    http_method_names = ("get", "post", "put", "patch", "delete", "head", "trace")

    @override
    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # A body sent in chunks has no Content-Length (RFC 9112, 6.3), which DRF takes for no body.
        if not request.META.get("CONTENT_LENGTH"):
            request.META["CONTENT_LENGTH"] = str(len(request.body))
        return super().initialize_request(request, *args, **kwargs)

    @override
    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "no-store"
        return final


class UnknownPath(Endpoint):
    """Answers every path below /api/ that is not one of ours."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    schema = None

    @override
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound
