"""The quick way to media: a signed link to a local file is answered before Django's long way begins.

Speakers fetch the same few files all at once, and what is long for one of them is the way through every middleware, a
thread and a connection of its own. Here the signature is checked on the event loop, those who ask for the same file at
the same time share one look-up, and the bytes go straight to the server. The rules are the view's own
(`common/media_urls.py`, `common/streaming.py`), and so are the headers and the request's line in log and metrics.

It is not counted against the caller's address: behind one there may be all speakers of a shop, which fetch at once, and
nobody has a link but from us. Whatever is not plainly a success takes the long way: refusals, other methods, other
origins (CORS), buckets.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import Error, connections
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.http.response import HttpResponseBase
from django.urls import resolve

from common import clock
from common.errors import Refusal
from common.media_urls import CACHE_CONTROL, find_sound, genuine
from common.middleware import RequestContextMiddleware
from common.streaming import FileSpanResponse, Sound, sound_response
from core.headers import HeadersMiddleware

App = Callable[[Any, Any, Any], Awaitable[None]]
Key = tuple[str, int, str]

_PATH = re.compile(r"/media/([-a-zA-Z0-9_]+)/([0-9]{1,18})/([-a-zA-Z0-9_]+)")


class _LongWay(Exception):
    """This one is Django's."""


class MediaDoor:
    """ASGI: serves GET and HEAD of signed links to local media; hands on everything else."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._looking: dict[Key, asyncio.Task[Sound | None]] = {}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers one request."""
        found = _PATH.fullmatch(scope["path"])
        if found is None or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        request = ASGIRequest(scope, io.BytesIO())
        response = None
        if _is_plain(request):
            kind, pk, sha256 = found.groups()
            sound = await self._find((kind, int(pk), sha256))
            response = _answer(request, sound) if sound is not None else None
        if response is None:
            await self._app(scope, receive, send)
        else:
            await _send(response, receive, send)

    async def _find(self, key: Key) -> Sound | None:
        """The sound; whoever asks while it is being looked up shares the answer."""
        task = self._looking.get(key)
        if task is None:
            task = self._looking[key] = asyncio.create_task(asyncio.to_thread(_look_up, key))
            task.add_done_callback(lambda done: self._looking.pop(key))
        return await asyncio.shield(task)


def _is_plain(request: HttpRequest) -> bool:
    """Whether nothing but the signature decides about this request, and that is good."""
    given, headers = request.GET, request.headers
    host = split_domain_port(headers.get("Host", ""))[0]
    return (
        "Origin" not in headers
        and validate_host(host, settings.ALLOWED_HOSTS)
        and (request.is_secure() or not settings.SECURE_SSL_REDIRECT)
        and genuine(request.path, given.get("e", ""), given.get("s", ""), now=clock.now())
    )


def _look_up(key: Key) -> Sound | None:
    """The row's sound, on a thread; None for what is not there or not local. Touches the file, so that opening waits
    for no disk."""
    try:
        sound = find_sound(*key)
        if sound is None or not sound.file:
            return None
        with Path(sound.file.path).open("rb"):
            return sound
    except (NotImplementedError, FileNotFoundError):  # in a bucket, or lost
        return None
    except Error:  # the long way meets it too, and says so as every other answer does
        return None
    finally:
        # Back to the pool. SQLite has none, and to open it anew takes longer than to ask.
        if not settings.EMBEDDED:
            connections.close_all()


def _answer(request: HttpRequest, sound: Sound) -> HttpResponseBase | None:
    """What the view would answer, with what the middlewares add; None if it refuses."""

    def serve(request: HttpRequest) -> Any:
        try:
            return sound_response(request, sound, cache_control=CACHE_CONTROL)
        except Refusal as refusal:
            raise _LongWay from refusal

    request.resolver_match = resolve(request.path)
    within: Any = CorsMiddleware(serve)  # it is synchronous when what it calls is
    chain: Any = HeadersMiddleware(RequestContextMiddleware(within))
    try:
        return chain(request)
    except _LongWay:
        return None


async def _send(response: HttpResponseBase, receive: Any, send: Any) -> None:
    if isinstance(response, HttpResponse):
        response.setdefault("Content-Length", str(len(response.content)))
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
    if not isinstance(response, FileSpanResponse):
        assert isinstance(response, HttpResponse)  # noqa: S101  # the view makes these two
        await send(start)
        await send({"type": "http.response.body", "body": response.content})
        return
    gone = asyncio.create_task(_disconnected(receive))
    try:
        await send(start)
        async for chunk in response:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        response.close_file()


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
