"""The network as the player needs it, behind a protocol so that tests can delay and cut it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from sync2gear_player import SOFTWARE
from sync2gear_player.messages import SUBPROTOCOL

REQUEST_TIMEOUT_S = 15.0


class NetworkError(Exception):
    """The peer could not be reached, or the connection broke. `code` is the WebSocket close code if one came."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Answer:
    """An HTTP response: header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body; raises `NetworkError` if it is not JSON."""
        try:
            return httpx.Response(self.status, content=self.body).json()
        except ValueError as error:
            raise NetworkError(
                f"the server answered {self.status} with something that is not JSON"
            ) from error


class Socket(Protocol):
    """An open WebSocket. Both `send` and `receive` raise `NetworkError` when it is closed."""

    async def send(self, frame: str) -> None:
        """Sends one text frame."""

    async def receive(self) -> str | bytes:
        """Waits for one frame."""

    async def close(self, code: int, reason: str) -> None:
        """Closes it."""


Stream = tuple[int, Mapping[str, str], AsyncIterator[bytes]]


class Network(Protocol):
    """HTTP and WebSocket. `url` is absolute; every failure to reach the peer is a `NetworkError`."""

    async def connect(self, url: str, token: str) -> Socket:
        """Opens the device socket with its subprotocol; `url` is http(s) and is turned into ws(s)."""

    async def request(
        self, method: str, url: str, *, token: str = "", json: Any = None, etag: str = ""
    ) -> Answer:
        """One request; `etag` is sent as If-None-Match."""

    def stream(self, url: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Stream]:
        """A GET whose body is read as it comes: status, headers, chunks."""


class RealNetwork:
    """httpx and websockets."""

    def __init__(self) -> None:
        self._http = httpx.AsyncClient(
            timeout=REQUEST_TIMEOUT_S, headers={"User-Agent": SOFTWARE}, follow_redirects=False
        )

    async def connect(self, url: str, token: str) -> Socket:
        """See `Network.connect`. A refusal by HTTP 401 or 403 has the code 4401 or 4403."""
        parts = urlsplit(url)
        ws_url = urlunsplit(parts._replace(scheme={"http": "ws", "https": "wss"}[parts.scheme]))
        try:
            connection = await connect(
                ws_url,
                additional_headers={"Authorization": f"Bearer {token}"},
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                user_agent_header=SOFTWARE,
                compression=None,
                ping_interval=None,  # the session asks for the time, and sees by that whether the server is there
                close_timeout=2,
                max_size=1024 * 1024,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            raise NetworkError(
                f"the server refused the socket with {status}", {401: 4401, 403: 4403}.get(status)
            ) from error
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
            raise NetworkError(f"the server cannot be reached ({error})") from error
        return RealSocket(connection)

    async def request(
        self, method: str, url: str, *, token: str = "", json: Any = None, etag: str = ""
    ) -> Answer:
        """See `Network.request`."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if etag:
            headers["If-None-Match"] = etag
        try:
            response = await self._http.request(method, url, json=json, headers=headers)
        except httpx.HTTPError as error:
            raise NetworkError(f"the server cannot be reached ({error or type(error).__name__})") from error
        return Answer(response.status_code, response.headers, response.content)

    @asynccontextmanager
    async def stream(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Stream]:
        """See `Network.stream`. Media may lie elsewhere, as in a bucket: the server then answers with a redirect.

        No token goes there, for none is sent with a media link; what comes back is judged by its hash.
        """
        try:
            async with self._http.stream("GET", url, headers=headers, follow_redirects=True) as response:
                yield response.status_code, response.headers, response.aiter_raw()
        except httpx.HTTPError as error:
            raise NetworkError(f"the download broke off ({error or type(error).__name__})") from error

    async def close(self) -> None:
        """Closes idle connections."""
        await self._http.aclose()


class RealSocket:
    """A `websockets` connection as a `Socket`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, frame: str) -> None:
        """See `Socket.send`."""
        try:
            await self._connection.send(frame)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def receive(self) -> str | bytes:
        """See `Socket.receive`."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def close(self, code: int, reason: str) -> None:
        """See `Socket.close`."""
        await self._connection.close(code, reason)

    @staticmethod
    def _closed(error: ConnectionClosed) -> NetworkError:
        code = error.rcvd.code if error.rcvd is not None else None
        return NetworkError(f"the socket was closed ({code or 'no close frame'})", code)


def resolve(server: str, reference: str) -> str:
    """An absolute URL from a reference of the server (RFC 3986 §5), against its origin."""
    return urljoin(server.rstrip("/") + "/", reference)
