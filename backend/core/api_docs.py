"""The pages of the API's documentation. They work offline: nothing on them comes from another host."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import View
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.views import APIView

from devices import asyncapi

OUR_OWN_HOST = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'"
)
"""Content-Security-Policy of the pages: the bundles carry links to their makers' hosts, which no browser follows."""


class OfflinePage(APIView):
    """Mixin of a page that may load from this host alone."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The page with its policy."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Content-Security-Policy"] = OUR_OWN_HOST
        return response


class SwaggerView(OfflinePage, SpectacularSwaggerView):
    """The operations, to be read and tried."""


class RedocView(OfflinePage, SpectacularRedocView):
    """The operations, to be read."""


class AsyncAPIView(View):
    """The socket of the speakers, as an AsyncAPI 3 document."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The document, as JSON."""
        return HttpResponse(json.dumps(asyncapi.document(), indent=2), content_type="application/json")
