"""The descriptions of the API and of the socket. The pages of the API's documentation are the package's; what they may
load, `core.headers` says: nothing on them comes from another host, and their scripts are files.
"""

from __future__ import annotations

import json
from functools import cache
from threading import Lock
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import View
from drf_spectacular.views import SpectacularAPIView

from common.openapi import ScopedSchemaGenerator
from devices import asyncapi

_one_at_a_time = Lock()


@cache
def _described(form: str) -> bytes:
    renderer: Any = next(each for each in SchemaView.renderer_classes if each.__name__ == form)
    return bytes(renderer().render(ScopedSchemaGenerator().get_schema(public=True), renderer_context={}))


class SchemaView(SpectacularAPIView):
    """The API's description as OpenAPI 3.1, YAML or JSON. It is one text for all, and takes seconds to make: a process
    makes each form once, or whoever asks often would have all of its time."""

    def _get_schema_response(self, request: Any) -> HttpResponse:
        renderer = request.accepted_renderer
        with _one_at_a_time:
            text = _described(type(renderer).__name__)
        return HttpResponse(text, content_type=renderer.media_type)


class AsyncAPIView(View):
    """The socket of the speakers, as an AsyncAPI 3 document."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The document, as JSON."""
        return HttpResponse(json.dumps(asyncapi.document(), indent=2), content_type="application/json")
