"""Sockets: the brief's `ws/devices/<device_id>/`, the dashboards', and a polite end for every other path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.urls import re_path

from devices.consumers import device_socket
from live.consumers import dashboard_socket


async def nowhere(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """A path that leads to no socket: refused before the upgrade."""
    await receive()
    await send({"type": "websocket.close", "code": 4404, "reason": "not_found"})


# Channels routes ASGI applications with Django's own patterns, whose types know views alone.
websocket_urlpatterns = [
    re_path(r"^ws/devices/(?P<device_id>[^/]{1,100})/$", device_socket),  # type: ignore[arg-type]
    re_path(r"^ws/dashboard/$", dashboard_socket),  # type: ignore[arg-type]
    re_path(r"", nowhere),  # type: ignore[arg-type]
]
