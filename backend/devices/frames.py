"""What goes over the wire, built once: WebSocket frames for many sockets, and orders that differ in a few fields."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from devices import protocol

EXTENSION = "sync2gear.frames"
"""The ASGI extension (`scope["extensions"]`) of a server that takes finished frames.

Its `write(wire)` puts one whole frame on the socket and answers True, or answers False and has done nothing: the peer
is not reading, or the socket closes. Without it frames go by ASGI's `websocket.send`.
"""

FINAL_TEXT = 0x81
"""First byte of a frame: the only one of its message, UTF-8 text (RFC 6455 §5.2)."""


class Built(Struct, frozen=True, gc=False):
    """One text message: its payload, and the whole frame of a server, which is not masked and so the same for all."""

    payload: bytes
    wire: bytes


def built(payload: bytes) -> Built:
    """The frame of a UTF-8 payload (RFC 6455 §5.2)."""
    size = len(payload)
    if size < 126:
        return Built(payload, bytes((FINAL_TEXT, size)) + payload)
    if size < 1 << 16:
        return Built(payload, bytes((FINAL_TEXT, 126)) + size.to_bytes(2) + payload)
    return Built(payload, bytes((FINAL_TEXT, 127)) + size.to_bytes(8) + payload)


class _Own(
    Struct, tag_field="type", tag=protocol.PlayAnnouncement.__struct_config__.tag, kw_only=True, gc=False
):
    """The fields of an order that are each device's own."""

    id: str
    ts: int
    event_id: str
    volume: int
    play_at: int
    expires_at: int


class Orders:
    """One announcement for many devices: what is common is encoded once, and joined to what is each device's own."""

    def __init__(self, common: protocol.PlayAnnouncement) -> None:
        fields: dict[str, Any] = msgspec.to_builtins(common)
        for name in ("type", *_Own.__struct_fields__):
            del fields[name]
        self._common = b"," + msgspec.json.encode(fields)[1:]

    def of(self, **own: Any) -> bytes:
        """The `play_announcement` with these fields: id, ts, event_id, volume, play_at, expires_at."""
        return protocol.encode(_Own(**own))[:-1] + self._common
