"""Serving one stored sound or picture over HTTP: conditions, ranges, and bytes sent without holding up the event loop.

`decide` is the rule (RFC 9110 §13 and §14) and knows no file; `sound_response` opens the file and obeys it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO, Any
from urllib.parse import quote

from django.conf import settings
from django.db import connections
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.negotiation import BaseContentNegotiation

from common.errors import Refusal

CHUNK = 256 * 1024
"""Bytes read at once: few enough for 50 streams in memory, many enough that a hop to a thread is cheap."""

EXTENSIONS = {
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "audio/webm": ".webm",
    "image/webp": ".webp",
}
"""The ending of a stored file by its measured media type."""

_LONGEST_NAME = 120
_UNSAFE_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)  # Linux alone has it
_INTEGER_RANGE = re.compile(r"([0-9]{0,100})-([0-9]{0,100})")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Span:
    """`length` bytes from byte `start` on."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to answer: 200 or 206 with the `span`, or 304, 412, 416 without bytes."""

    status: int
    span: Span | None = None


def decide(method: str, headers: Mapping[str, str], *, etag: str, size: int) -> Verdict:
    """The answer to a GET or HEAD for `size` bytes whose strong entity tag is `etag` (with its quotes).

    Conditions are taken in the order of RFC 9110 §13.2.2. There is no Last-Modified, so dates never match.
    Range counts for GET only; one range is served, several and malformed ones mean the whole (§14.2 allows it).
    """
    if_match = headers.get("If-Match")
    if if_match is not None and not {"*", etag} & set(parse_etags(if_match)):
        return Verdict(412)
    if_none_match = headers.get("If-None-Match")
    if if_none_match is not None:
        known = {tag.removeprefix("W/") for tag in parse_etags(if_none_match)}
        if {"*", etag} & known:
            return Verdict(304)
    whole = Verdict(200, Span(0, size))
    if method != "GET" or headers.get("If-Range", etag) != etag:
        return whole
    return _ranged(headers.get("Range", ""), size) or whole


def _ranged(header: str, size: int) -> Verdict | None:
    """206 or 416 for exactly one well-formed byte range, None for anything else."""
    unit, _, ranges = header.partition("=")
    listed = [item.strip(" \t") for item in ranges.split(",") if item.strip(" \t")]
    if unit.strip().lower() != "bytes" or len(listed) != 1:
        return None
    match = _INTEGER_RANGE.fullmatch(listed[0])
    if match is None:
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is None:
        if last is None:
            return None
        start, stop = max(0, size - last), size
    else:
        if last is not None and last < first:
            return None
        start, stop = first, size if last is None else min(last + 1, size)
    if start >= stop:
        return Verdict(416)
    return Verdict(206, Span(start, stop - start))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A stored sound, or a picture, as it is served. `mime` was measured; `name` is for people, without an ending."""

    file: FieldFile
    sha256: str
    mime: str
    name: str

    @property
    def etag(self) -> str:
        """The strong entity tag: the content's SHA-256."""
        return f'"{self.sha256}"'

    @property
    def file_name(self) -> str:
        """A name that is harmless on every system."""
        stem = _UNSAFE_IN_NAMES.sub("_", self.name).strip(". ")[:_LONGEST_NAME]
        return (stem or "sound") + EXTENSIONS.get(self.mime, "")

    @property
    def disposition(self) -> str:
        """Content-Disposition (RFC 6266): played in place, with a name for whoever saves it."""
        return content_disposition_header(False, self.file_name) or "inline"


class FileSpanResponse(StreamingHttpResponse):
    """The bytes of one span of an open file, a chunk at a time; the file is closed with the response.

    Under WSGI it is an ordinary iterator. Under ASGI, where Django would first read a plain iterator to its
    end, a chunk is read when the client has taken the last: at once if the kernel has it in memory, else on a thread.
    """

    def __init__(self, file: IO[bytes], span: Span, **kwargs: Any) -> None:
        super().__init__(_chunks(file, span), **kwargs)
        self._file = file
        self._span = span

    async def __aiter__(self) -> AsyncIterator[bytes]:
        at, end = self._span.start, self._span.start + self._span.length
        while at < end:
            part = self._file, at, min(CHUNK, end - at)
            if _in_memory(*part):
                chunk = _read(*part)
                await asyncio.sleep(0)  # a client as fast as this must not have the event loop to itself
            else:
                chunk = await asyncio.to_thread(_read, *part)
            if not chunk:
                return
            at += len(chunk)
            yield chunk

    def close(self) -> None:
        """Ends the response and closes the file, also when the client has gone in the middle."""
        try:
            super().close()
        finally:
            self.close_file()

    def close_file(self) -> None:
        """The file alone, for who sends the response outside of Django's own handler."""
        self._file.close()


def _in_memory(file: IO[bytes], at: int, length: int) -> bool:
    """Whether the kernel has both ends of this part of the file in memory, so that no disk is waited for.

    preadv2(2), RWF_NOWAIT. False also where the system or the file cannot tell.
    """
    if _NOWAIT is None:
        return False
    try:
        return all(os.preadv(file.fileno(), [bytearray(1)], edge, _NOWAIT) for edge in (at, at + length - 1))
    except OSError:  # EAGAIN, or a file system or an object that does not know this
        return False


def _read(file: IO[bytes], at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)


def _chunks(file: IO[bytes], span: Span) -> Iterator[bytes]:
    file.seek(span.start)
    left = span.length
    while left > 0 and (chunk := file.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk


def sound_response(
    request: HttpRequest, sound: Sound, *, cache_control: str = "private, no-cache"
) -> HttpResponseBase:
    """The sound, or the part asked for. Storage that is not local is answered with a redirect to its own link; a local
    file is left to the proxy in front, if MEDIA_ACCEL_PREFIX says that there is one which can.

    Raises Refusal: `not_ready` while there is no file, `not_found` if it is lost, `precondition_failed`,
    `range_not_satisfiable`.
    """
    if not sound.file:
        raise Refusal("not_ready", "There is no sound yet: it is still being prepared, or that failed.")
    try:
        path = sound.file.path
    except NotImplementedError:
        return _elsewhere(request, sound, cache_control)
    try:
        file = open(path, "rb")  # noqa: PTH123, SIM115  # closed with the response
    except FileNotFoundError:
        logger.exception("the file of %s is not in the storage", sound.file.name)
        raise Refusal("not_found", "The file is no longer in the storage.") from None
    size = os.fstat(file.fileno()).st_size
    verdict = decide(request.method or "", request.headers, etag=sound.etag, size=size)
    headers = {"ETag": sound.etag, "Cache-Control": cache_control, "Accept-Ranges": "bytes"}
    if verdict.span is None:
        file.close()
        return _without_bytes(verdict, headers, size)
    span = verdict.span
    headers |= {
        "Content-Type": sound.mime,
        "Content-Disposition": sound.disposition,
        "X-Content-Type-Options": "nosniff",
    }
    if settings.MEDIA_ACCEL_PREFIX and _proxy_judges_alike(request):
        file.close()
        del headers["Accept-Ranges"]  # the proxy says so itself
        return HttpResponse(headers=headers | {"X-Accel-Redirect": accelerated_path(path)})
    headers["Content-Length"] = str(span.length)
    if verdict.status == 206:
        headers["Content-Range"] = f"bytes {span.start}-{span.start + span.length - 1}/{size}"
    if request.method == "HEAD":
        file.close()
        return HttpResponse(status=verdict.status, headers=headers)
    give_back_connections()
    return FileSpanResponse(file, span, status=verdict.status, headers=headers)


def _proxy_judges_alike(request: HttpRequest) -> bool:
    """Whether the proxy comes to our verdict: it takes the range of a GET, but knows no tag for If-Match."""
    return request.method == "GET" and "If-Match" not in request.headers


def accelerated_path(path: str) -> str:
    """Where nginx finds a file of MEDIA_ROOT: a URI of its internal location, never outside of that.

    https://nginx.org/en/docs/http/ngx_http_core_module.html#internal; nginx decodes the percent signs.
    """
    return str(settings.MEDIA_ACCEL_PREFIX) + quote(os.path.relpath(path, settings.MEDIA_ROOT))


def _elsewhere(request: HttpRequest, sound: Sound, cache_control: str) -> HttpResponseBase:
    """A redirect to the storage's own link, which knows ranges and conditions; the link expires, so it is not kept."""
    storage: Any = sound.file.storage  # one of common.storages without paths
    redirect = HttpResponseRedirect(
        storage.link(
            sound.file.name,
            method="HEAD" if request.method == "HEAD" else "GET",
            mime=sound.mime,
            disposition=sound.disposition,
            cache_control=cache_control,
        )
    )
    redirect["Cache-Control"] = "private, no-store"
    return redirect


def give_back_connections() -> None:
    """What Django does when a response ends; what is slow and needs no database must not keep a pooled connection."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _without_bytes(verdict: Verdict, headers: dict[str, str], size: int) -> HttpResponse:
    if verdict.status == 304:
        return HttpResponse(status=304, headers=headers)
    if verdict.status == 412:
        raise Refusal("precondition_failed", "If-Match names another version of this file.")
    raise Refusal(
        "range_not_satisfiable",
        f"The file has {size} bytes.",
        headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"},
    )


class AnyAccept(BaseContentNegotiation):
    """For routes that answer with sound: whatever `Accept` says, problems are still JSON."""

    any_accept = True

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """The first parser; a stream has no body to parse."""
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """The first renderer, for problems."""
        return renderers[0], renderers[0].media_type


_audio = partial(OpenApiResponse, response=OpenApiTypes.BINARY)
STREAM_RESPONSES: dict[Any, Any] = {
    (200, "audio/*"): _audio(description="The whole sound, with ETag and Accept-Ranges."),
    (206, "audio/*"): _audio(description="The bytes that Range asked for."),
    302: OpenApiResponse(description="The sound lies in remote storage; Location is a link that expires."),
    304: OpenApiResponse(description="If-None-Match names what is here."),
}
"""What a streaming operation answers, for its schema."""

STREAM_PROBLEMS = ("not_found", "not_ready", "precondition_failed", "range_not_satisfiable")
"""The codes of `sound_response`."""

STREAM_HEADERS = [
    OpenApiParameter(
        "Range", str, OpenApiParameter.HEADER, description="One byte range, like `bytes=0-499`."
    ),
    OpenApiParameter(
        "If-Range", str, OpenApiParameter.HEADER, description="Serve the range only of this ETag."
    ),
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="Answer 304 for this ETag."),
]
"""The request headers that a streaming operation honours, for its schema."""
