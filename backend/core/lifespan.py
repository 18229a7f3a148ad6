"""The ASGI lifespan: what starts with the server and ends with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from common import memory
from core import periodic
from devices import runtime


async def lifespan(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """ASGI lifespan protocol 2.0: the devices' runtime, and embedded the periodic work."""
    await receive()
    runtime.running()
    ticking = periodic.run_here() if settings.JOBS_EMBEDDED else None
    memory.settle()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    if ticking is not None:
        await ticking.stop()
    await runtime.stop()
    await send({"type": "lifespan.shutdown.complete"})
