"""Static files, served by the application itself."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, whose responses an ASGI server may send.

    WhiteNoise answers with a synchronous file iterator. Under ASGI Django reads such a one whole before it sends
    anything, and warns each time; so it is read whole here. A static file is some hundred kilobytes.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """One static file, or the part of it that was asked for."""
        found = static_file.get_response(request.method, request.META)
        with found.file or BytesIO() as file:
            response = HttpResponse(file.read(), status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response
