"""What is refused at the door, where Django spools a request's body to disk: too large a body, and a full disk."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from common.errors import CONTENT_TYPE, FULL, problem

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

LINGER_S = 5
"""How long what a refused caller still sends is read, and thrown away."""

MULTIPART_OVERHEAD = 64 * 1024
"""What the form around a file may add to the largest file."""


logger = logging.getLogger(__name__)


class _TooLarge(Exception):
    """More bytes arrived than were allowed."""


class BodyLimit:
    """ASGI middleware: a body above `largest` bytes, announced or sent, gets 400 `too_large` and is not read.

    One for which the disk of passing files has no room gets 507 `storage_full`.
    """

    def __init__(self, app: App, *, largest: int) -> None:
        self._app = app
        self._largest = largest + MULTIPART_OVERHEAD

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serves one request, unless it is too large."""
        if self._announced(scope) > self._largest:
            await self._refuse_too_large(receive, send)
            return
        seen = 0
        answered = False

        async def counted() -> dict[str, Any]:
            nonlocal seen
            event = await receive()
            seen += len(event.get("body", b""))
            if seen > self._largest and not answered:
                raise _TooLarge
            return event

        async def noted(event: dict[str, Any]) -> None:
            nonlocal answered
            answered = True
            await send(event)

        try:
            await self._app(scope, counted, noted)
        except _TooLarge:
            await self._refuse_too_large(receive, send)
        except OSError as error:
            if error.errno not in FULL or answered:
                raise
            logger.exception("the disk of passing files is full")
            await _refuse(receive, send, "storage_full", "Nothing was kept. Tell whoever runs this server.")

    @staticmethod
    def _announced(scope: dict[str, Any]) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0

    async def _refuse_too_large(self, receive: Receive, send: Send) -> None:
        megabytes = (self._largest - MULTIPART_OVERHEAD) // (1024 * 1024)
        await _refuse(receive, send, "too_large", f"A file has at most {megabytes} MB.")


async def _refuse(receive: Receive, send: Send, code: str, detail: str) -> None:
    """Answers with a problem, and closes the connection once the caller has had time to read it.

    To close at once, with bytes unread, would reset the connection, and the answer be lost with it (RFC 9112 §9.6).
    """
    said = problem(code, detail)
    body = json.dumps(said).encode()
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    ]
    await send({"type": "http.response.start", "status": said["status"], "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body"):
                pass
    await send({"type": "http.response.body", "body": b""})
