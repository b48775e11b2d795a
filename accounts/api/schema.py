"""The OpenAPI document and its readable page, both open to everybody: they hold no data."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


@cache
def build_schema() -> dict[str, Any]:
    """Return the document; made once per process, because it costs a hundred times a plain request."""
    generator: Any = SchemaGenerator
    schema: dict[str, Any] = generator().get_schema(request=None, public=True)
    return schema


class SchemaView(APIView):
    """JSON unless the Accept header asks for YAML."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    content_negotiation_class = DefaultContentNegotiation
    renderer_classes = (OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer)

    @extend_schema(exclude=True)
    def get(self, _request: Request) -> Response:
        return Response(build_schema())


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files, with neither inline script nor inline style (strict CSP)."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    template_name = "accounts/docs.html"
