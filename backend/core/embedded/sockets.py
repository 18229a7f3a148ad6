"""uvicorn's WebSockets, with two things more: an upgrade is parsed once, and a frame that was built once is written as
it is."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import OPEN

from devices.frames import EXTENSION

AT_A_SOCKET = b"GET /ws/"
"""How a request for one of our sockets begins."""
UPGRADES = b"\r\nupgrade: websocket\r\n"
ENDS = b"\r\n\r\n"


class Requests(HttpToolsProtocol):
    """HTTP, and the way from there to a socket.

    uvicorn parses a request as HTTP, writes it out again if it is an upgrade, and lets `websockets` parse that: a third
    of what all of it takes. What is plainly an upgrade to a socket goes to `websockets` as it came.
    """

    def data_received(self, data: bytes) -> None:
        """A connection's first request, if it has come in one piece, is looked at before it is parsed."""
        is_first = self.scope is None
        if is_first and data.startswith(AT_A_SOCKET) and data.endswith(ENDS) and UPGRADES in data.lower():
            self._upgrade(data)
        else:
            super().data_received(data)

    def _upgrade(self, request: bytes) -> None:
        sockets = Sockets(self.config, self.server_state, self.app_state)
        sockets.connection_made(self.transport)
        sockets.data_received(request)
        if sockets.handshake_initiated:
            self.transport.set_protocol(sockets)
            self.connections.discard(self)
        else:  # `websockets` says nothing about a request that it cannot read
            self.connections.discard(sockets)
            self.send_400_response("Invalid HTTP request received.")


class Sockets(WebSocketsSansIOProtocol):
    """Offers the ASGI extension `devices.frames.EXTENSION`."""

    def handle_connect(self, event: Request) -> None:
        """The application is started by this, and runs when this has returned."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            given = self.scope["headers"]
            self.scope["headers"] = [(name.lower(), value) for name, value in given]  # as ASGI wants them
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
