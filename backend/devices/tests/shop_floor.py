"""A real server in this process, and speakers that talk to it over real sockets.

uvicorn serves `core.asgi` on a thread with an event loop of its own and a free port, on the test's database (a
SQLite file, or PostgreSQL), so that the tests need `django_db(transaction=True)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from asgiref.sync import sync_to_async
from django.db import connections
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from common.tenancy import system_scope
from devices import protocol
from devices.models import Device
from devices.services import rotate_token

PATIENCE_S = 20.0


class Server:
    """uvicorn on a thread."""

    def __init__(self, *, ws_max_size: int = 16 * 1024 * 1024) -> None:
        from core.asgi import application
        from core.embedded.sockets import Requests, Sockets

        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application,
            lifespan="on",
            log_level="warning",
            http=Requests,
            ws=Sockets,
            ws_max_size=ws_max_size,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="server", daemon=True)

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])
        connections.close_all()

    def start(self) -> None:
        """Returns when it answers."""
        self._thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            assert self._thread.is_alive(), "the server ended"
            time.sleep(0.01)

    def stop(self) -> None:
        """Returns when it has ended, as on SIGTERM."""
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the server did not stop"


@contextmanager
def serving() -> Iterator[Server]:
    """A server for the block."""
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def token_of(device: Device) -> str:
    """A token that opens this device's path at once."""
    with system_scope("test data"):
        Device.objects.filter(pk=device.pk).update(token_hash="", next_token_hash="")
        device.refresh_from_db()
        return rotate_token(device=device)


class Speaker:
    """One device's end of a socket. Reads in the background, so that its connection never stands still."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self.got: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in self.ws:
                self.got.append(json.loads(frame))
                self._news.set()
        self._news.set()

    async def say(self, kind: str, **fields: Any) -> None:
        """Sends a message."""
        await self.ws.send(json.dumps({"type": kind} | fields))

    async def hears(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The first message of this type with these fields, taken out of what came; waits for it."""

        def wanted() -> dict[str, Any] | None:
            for message in self.got:
                if message["type"] == kind and all(
                    message.get(name) == value for name, value in fields.items()
                ):
                    return message
            return None

        async with asyncio.timeout(PATIENCE_S):
            while (found := wanted()) is None:
                assert not self._reader.done(), f"closed with {self.ws.close_code}, having heard {self.got}"
                self._news.clear()
                await self._news.wait()
        self.got.remove(found)
        return found

    async def closed(self) -> int:
        """The close code; waits for it."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reader
            await self.ws.wait_closed()
        return self.ws.close_code or 0

    async def round_trip(self, n: int = 0) -> float:
        """Seconds between a time probe and its answer."""
        begun = time.perf_counter()
        await self.say("time_probe", n=n, t1=0)
        await self.hears("time_reply", n=n)
        return time.perf_counter() - begun

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """What came of this type and was not taken yet."""
        return [message for message in self.got if message["type"] == kind]


HELLO = {
    "boot_id": "boot-1",
    "software": "test 1.0",
    "clock": {"state": "synced", "error_us": 300, "round_trip_us": 900},
}


@asynccontextmanager
async def speaker(
    server: Server,
    device_id: str,
    token: str | None,
    *,
    plain: bool = False,
    hello: dict[str, Any] | None = None,
    greet: bool = True,
    subprotocols: list[str] | None = None,
) -> AsyncIterator[Speaker]:
    """A connected speaker; unless told otherwise it has been welcomed."""
    offered: Any = subprotocols if subprotocols is not None else [protocol.SUBPROTOCOL]
    async with connect(
        f"ws://127.0.0.1:{server.port}/ws/devices/{device_id}/",
        additional_headers={"Authorization": f"Bearer {token}"} if token else {},
        subprotocols=None if plain else offered,
        max_size=None,
        close_timeout=1,
    ) as ws:
        one = Speaker(ws)
        if greet and not plain:
            await one.say("hello", **(HELLO | (hello or {})))
            await one.hears("welcome")
        yield one


async def until(check: Callable[[], Any], what: str) -> Any:
    """The first truthy answer of `check`, which may read the database."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = await sync_to_async(check, thread_sensitive=True)()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what} did not happen"
        await asyncio.sleep(0.02)


def row_of(device: Device) -> Device:
    """The device's row as it is now."""
    with system_scope("the test looks at the row"):
        return Device.objects.select_related("floor", "client").get(pk=device.pk)
