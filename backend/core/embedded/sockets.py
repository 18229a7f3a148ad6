"""uvicorn's WebSockets, with one thing more: a frame that was built once is written as it is."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import OPEN

from devices.frames import EXTENSION


class Sockets(WebSocketsSansIOProtocol):
    """Offers the ASGI extension `devices.frames.EXTENSION`."""

    def handle_connect(self, event: Request) -> None:
        """The application is started by this, and runs when this has returned."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, object] = self.scope["extensions"]  # type: ignore[assignment]  # any name, any value
            extensions[EXTENSION] = {"write": self.write_frame}

    def write_frame(self, wire: bytes) -> bool:
        """Writes one whole frame, or answers False: the peer does not read, or the socket is not open."""
        if not (self.handshake_complete and self.writable.is_set()) or self.close_sent or self.disconnected:
            return False
        if self.conn.state is not OPEN or self.transport.is_closing():
            return False
        self.transport.write(wire)
        return True
