"""The link: a connection that takes nothing any more is left."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from sync2gear_player import link
from sync2gear_player.backoff import Backoff
from sync2gear_player.clock import RealClock

from .test_session import HELLO


class Full:
    """A socket whose peer is gone and whose buffers are full."""

    async def send(self, frame: str) -> None:
        await asyncio.Event().wait()

    async def receive(self) -> str:
        await asyncio.Event().wait()
        return ""

    async def close(self, code: int, reason: str) -> None:
        pass


async def test_a_socket_that_takes_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "SEND_TIMEOUT_S", 0.05)
    monkeypatch.setattr(Backoff, "next_wait", lambda self, code=None: 0.0)
    connected = asyncio.Semaphore(0)

    class Network:
        async def connect(self, url: str, token: str) -> Full:
            connected.release()
            return Full()

    class Speaker:
        hello = staticmethod(lambda: HELLO)
        owed = staticmethod(list)
        now = staticmethod(lambda: 0)

    network: Any = Network()
    handler: Any = Speaker()
    running = asyncio.create_task(
        link.Link(
            network=network,
            clock=RealClock(),
            backoff=Backoff(random.Random(1)),  # noqa: S311  # not a secret
            url="http://shop.example",
            token="t",
            handler=handler,
        ).run()
    )
    async with asyncio.timeout(5):
        for _ in range(3):
            await connected.acquire()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
