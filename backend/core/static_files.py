"""Static files, served by the application itself."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


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

    def immutable_file_test(self, path: str, url: str) -> bool:
        """Whether a browser may keep it for ever: its own name, or its folder's, says what is in it."""
        ours = not settings.DEBUG and url.startswith(f"{settings.STATIC_URL}{settings.WEB_FOLDER}/")
        return ours or bool(super().immutable_file_test(path, url))


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Names packages' files after their content, as WhiteNoise does; ours have that in their folder's name
    (`core.web_files`) and are only compressed, so that imports stay as they are written."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """As Django's: yields a name, the name of what was made of it, and whether something was."""
        ours = {name for name in paths if name.startswith(f"{settings.WEB_FOLDER}/")}
        theirs = {name: found for name, found in paths.items() if name not in ours}
        yield from super().post_process(theirs, dry_run=dry_run, **options)
        if not dry_run:
            for name, compressed in self.compress_files(ours):
                yield name, compressed, True
