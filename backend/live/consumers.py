"""The socket of dashboards (`ws/dashboard/`), a lean ASGI endpoint as the speakers' is: getting in, and staying."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from django.conf import settings
from django.db import Error as DatabaseError
from redis import RedisError

from devices import runtime
from devices.admission import came_by_https, is_own_origin
from devices.protocol import TICKET_SUBPROTOCOL_PREFIX
from live import hub, protocol, store
from live.protocol import SUBPROTOCOL, CloseCode
from live.store import Looking

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def dashboard_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """ASGI 3 endpoint of one dashboard's socket. Serves it until either side ends it."""
    first = await receive()
    if first["type"] != "websocket.connect":
        return
    if refusal := _refused_at_the_door(scope):
        await send({"type": "websocket.close", "code": CloseCode.ENDED, "reason": refusal})
        return
    offered: list[str] = list(scope.get("subprotocols") or [])
    speaks = SUBPROTOCOL in offered
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if speaks else None})
    if not speaks:
        await _refuse(send, CloseCode.VERSION, "version", f"This server speaks {SUBPROTOCOL}.")
        return
    try:
        looking = await _admitted(offered)
    except (DatabaseError, RedisError) as error:
        logger.warning("a dashboard could not be let in: %s", error)
        await _refuse(send, CloseCode.OVERLOAD, "overload", "Nobody can be let in now; come back.")
        return
    if looking is None:
        await _refuse(
            send, CloseCode.BAD_TICKET, "bad_ticket", "The ticket is used or too old; ask for another."
        )
        return
    await _serve(looking, receive, send)


def _refused_at_the_door(scope: dict[str, Any]) -> str:
    """Why there is no upgrade (the browser sees HTTP 403); empty if there is one."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if settings.SECURE_SSL_REDIRECT and not came_by_https(
        scheme=scope.get("scheme", ""),
        forwarded_proto=headers.get("x-forwarded-proto", ""),
        trusted_proxies=settings.TRUSTED_PROXIES,
    ):
        return "https_required"
    origin, host = headers.get("origin"), headers.get("host", "")
    allowed = [settings.PUBLIC_URL, *settings.CORS_ALLOWED_ORIGINS]
    return "foreign_origin" if origin and not is_own_origin(origin, host=host, allowed=allowed) else ""


async def _admitted(offered: list[str]) -> Looking | None:
    shown = [each for each in offered if each.startswith(TICKET_SUBPROTOCOL_PREFIX)]
    if len(shown) != 1:
        return None
    ticket = shown[0].removeprefix(TICKET_SUBPROTOCOL_PREFIX)
    return await hub.running().in_store(lambda: store.admit(ticket))


async def _refuse(send: Send, close_code: int, code: str, detail: str) -> None:
    error = protocol.Error(code=code, detail=detail)
    await send({"type": "websocket.send", "text": protocol.encode(error).decode()})
    await send({"type": "websocket.close", "code": close_code, "reason": code})


async def _serve(looking: Looking, receive: Receive, send: Send) -> None:
    runtime.running()  # on servers without a lifespan: it is what listens to the bus
    dashboards = hub.running()
    outlet = hub.Outlet(looking, send)
    reading = asyncio.create_task(_read(outlet, dashboards, receive))
    ending = asyncio.create_task(outlet.ended.wait())
    try:
        await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        dashboards.leave(outlet)
        for task in (reading, ending):
            task.cancel()
        failed = (await asyncio.gather(reading, ending, return_exceptions=True))[0]
        if isinstance(failed, Exception):
            logger.error("a dashboard of person %s failed", looking.person, exc_info=failed)
        await outlet.stop()


async def _read(outlet: hub.Outlet, dashboards: hub.Dashboards, receive: Receive) -> None:
    """Takes the hello. A page has nothing else to say, so that whatever comes after it ends the session."""
    try:
        async with asyncio.timeout(protocol.HELLO_TIMEOUT_S):
            event = await receive()
    except TimeoutError:
        outlet.shut(CloseCode.NO_HELLO, "no_hello", "Say hello within five seconds.")
        return
    if event["type"] == "websocket.disconnect":
        return
    text = event.get("text") or ""
    try:
        if len(text) > protocol.LARGEST_HELLO:
            raise msgspec.DecodeError("too long")
        hello = protocol.decode_inbound(text)
    except msgspec.DecodeError:
        outlet.shut(CloseCode.MALFORMED, "malformed", "That is no hello.")
        return
    await dashboards.join(outlet, hello.as_of)
    if (await receive())["type"] != "websocket.disconnect":
        outlet.shut(CloseCode.MALFORMED, "malformed", "A dashboard says hello, and nothing else.")
