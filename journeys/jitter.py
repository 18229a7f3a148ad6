"""A TCP proxy that is a bad Wi-Fi: every chunk is delayed at random, each way for itself, in order."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable


class JitterProxy:
    """Listens on a port of its own and forwards to `port`, each chunk late by `delay_s(rng)`.

    Runs in a thread with its own loop. `cut()` drops every connection and refuses new ones until `mend()`; `swallow()`
    lets those that stand now be, and nothing come through them any more.
    """

    def __init__(self, port: int, delay_s: Callable[[random.Random], float], *, seed: int = 1) -> None:
        self._target = port
        self._delay_s = delay_s
        self._rng = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._dead: set[asyncio.StreamWriter] = set()
        self._open = True
        self.port = 0
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(5)

    def cut(self) -> None:
        """The network is gone."""
        self._open = False
        self._loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in list(self._writers)])

    def mend(self) -> None:
        """The network is back."""
        self._open = True

    def swallow(self) -> None:
        """The connections of now are half-open for ever."""
        self._dead |= self._writers

    def stop(self) -> None:
        """Ends the proxy."""
        self.cut()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _end(self) -> None:
        """Every connection was aborted, so that all that reads or waits for it ends."""
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=4)

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        try:
            there, onward = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, onward}
        await asyncio.gather(self._pipe(reader, onward), self._pipe(there, writer))
        self._writers -= {writer, onward}

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        due = 0.0
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def forward() -> None:
            while True:
                at, chunk = await queue.get()
                await asyncio.sleep(max(0.0, at - self._loop.time()))
                if not chunk:
                    if writer not in self._dead:
                        writer.close()
                    return
                if writer in self._dead:
                    continue
                writer.write(chunk)
                await writer.drain()

        forwarding = asyncio.ensure_future(forward())
        try:
            while True:
                chunk = await reader.read(65536)
                due = max(due, self._loop.time() + self._delay_s(self._rng))
                queue.put_nowait((due, chunk))
                if not chunk:
                    await forwarding
                    return
        except OSError:
            forwarding.cancel()
            writer.transport.abort()
