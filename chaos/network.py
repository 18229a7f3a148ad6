"""The network between devices and server: a TCP proxy that can be cut, and that can swallow."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast


class _End(asyncio.Protocol):
    """One side of a connection; what it hears goes to its peer, unless somebody swallows it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.peer: _End | None = None
        self.transport: asyncio.Transport | None = None
        self.kept: list[bytes] = []
        self.swallows = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to write."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one by duck-typing only

    def data_received(self, data: bytes) -> None:
        """Onward; what comes before the other side stands is kept."""
        if self.swallows:
            return
        if self.peer is None or self.peer.transport is None:
            self.kept.append(data)
        else:
            self.peer.transport.write(data)

    def connection_lost(self, why: Exception | None) -> None:
        """The other side goes too; of a half-open connection it never hears."""
        self.network.ends.discard(self)
        if not self.swallows and self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()

    def abort(self) -> None:
        """As if the cable were gone: nothing that waits is sent."""
        if self.transport is not None:
            self.transport.abort()


class Network:
    """Listens on `port` and forwards to the server."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._cut = False
        self._listener: asyncio.Server | None = None
        self._joining: set[asyncio.Task[None]] = set()
        self.ends: set[_End] = set()
        self.port = 0

    async def open(self) -> None:
        """Begins to listen, on any free port."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Ends all."""
        if self._listener is not None:
            self._listener.close()
        for end in list(self.ends):
            end.abort()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """While the block lasts nothing gets through: what stands is torn, what is new is refused."""
        self._cut = True
        for end in list(self.ends):
            end.abort()
        try:
            yield
        finally:
            self._cut = False

    def swallow(self, share: float, rng: random.Random) -> int:
        """From now on this share of the connections is half-open for ever; returns how many."""
        chosen = [end for end in self.ends if end.peer is not None and rng.random() < share / 2]
        for end in chosen:
            for side in (end, end.peer):
                if side is not None:
                    side.swallows = True
        return len(chosen)

    def _accept(self) -> _End:
        near = _End(self)
        self.ends.add(near)
        task = asyncio.get_running_loop().create_task(self._join(near))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)
        return near

    async def _join(self, near: _End) -> None:
        if self._cut:
            near.abort()
            return
        far = _End(self)
        far.peer = near
        try:
            await asyncio.get_running_loop().create_connection(lambda: far, "127.0.0.1", self._server_port)
        except OSError:
            near.abort()
            return
        self.ends.add(far)
        assert far.transport is not None
        for data in near.kept:
            far.transport.write(data)
        near.kept.clear()
        near.peer = far
        if near.transport is None or near.transport.is_closing():
            far.transport.close()
