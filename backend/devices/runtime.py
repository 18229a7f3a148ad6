"""What one server process keeps running for its devices: the hub, the store thread, the batches, the timers.

Started by the ASGI lifespan, or by the first socket on servers without one (Daphne). Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from django.db import Error, connection, connections

from common import clock, metrics
from common.batching import Batcher
from devices import bus, counting, ports, presence, store
from devices.credentials import Credential
from devices.hub import Hub, Link, Superseded
from devices.ports import DeviceReport
from devices.protocol import CloseCode
from devices.store import Known, Touch, Touched

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

REDELIVER_EVERY_S = 5.0
"""How often each process looks for what its devices have not acknowledged."""
MUSIC_AT_ONCE = 50
"""Messages of music in one transaction, up to 200 stretches each: receipts must not wait long behind them."""
LOOK_UP_LINGER_S = 0.02
"""Connects gather this long into one query: after a restart all devices come at once."""
TOUCH_LINGER_S = 0.02
"""Signs of life gather longer, and while others knock: no device waits for them."""
SAID = ("touch", "report", "music", "status")
"""Batches of what devices have said, which a process that stops still writes."""
HANDS = 2
"""Threads that write what devices say of plays, each for its own devices: one judges while the database writes for the
other. SQLite has one writer."""


class Runtime:
    """The devices' side of one server process."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.hub = Hub(
            on_wake=lambda devices: self._spawn(self.deliver_due(devices, reconnected=False)),
            on_rival=lambda link: self._spawn(self._end_if_older(link)),
            on_told=lambda told: ports.audience().heard(told),
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device-store")
        hands = HANDS if connection.features.has_select_for_update_skip_locked else 0
        self._hands = [ThreadPoolExecutor(1, f"device-reports-{number}") for number in range(hands)]
        self._look_ups: Batcher[Credential, Known | None] = Batcher(
            lambda items: self._in_store(store.look_up, items), linger_s=LOOK_UP_LINGER_S
        )
        self._touches: Batcher[Touch, Touched] = Batcher(
            self._touch_all, linger_s=TOUCH_LINGER_S, before=self._look_ups
        )
        self._reports: list[Batcher[DeviceReport, None]] = [
            Batcher(partial(self._store_reports, hand)) for hand in self._hands or [self._thread]
        ]
        self._music: Batcher[DeviceReport, None] = Batcher(self._store_music, largest=MUSIC_AT_ONCE)
        self._statuses: Batcher[DeviceReport, None] = Batcher(self._observe_statuses)
        self._batchers: dict[str, Sequence[Batcher[Any, Any]]] = {
            "look_up": [self._look_ups],
            "touch": [self._touches],
            "report": self._reports,
            "music": [self._music],
            "status": [self._statuses],
        }
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begins to listen to the bus and to look for what is due."""
        self._spawn(bus.subscribe(self.hub.dispatch, self._subscribed))
        self._spawn(self._redeliver_forever())
        self._spawn(self._tell_figures())

    async def stop(self) -> None:
        """Tells the devices to come back, writes what has gathered, and ends."""
        self.hub.shut_all(CloseCode.RESTART, "restart", "The server restarts; come back.")
        await asyncio.sleep(0.05)
        for batcher in itertools.chain(*(self._batchers[kind] for kind in SAID)):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(batcher.drain(), 5)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await ports.audience().stop()
        for thread in (self._thread, *self._hands):
            await self.loop.run_in_executor(thread, connections.close_all)
            thread.shutdown(wait=False)
        await asyncio.to_thread(metrics.leave)

    def recognise(self, credential: Credential) -> Awaitable[Known | None]:
        """The device behind a token or ticket."""
        return self._look_ups.submit(credential)

    def touch(self, item: Touch) -> Awaitable[Touched]:
        """Writes a sign of life; returns when it is committed.

        That of a new session besides ends older ones on other processes, and delivers what the device may have missed.
        """
        return self._touches.submit(item)

    def report(self, item: DeviceReport) -> Awaitable[None]:
        """Returns when this report of a device is committed. Those of one device are written in their order."""
        return self._reports[item.device_pk % len(self._reports)].submit(item)

    def music(self, item: DeviceReport) -> Awaitable[None]:
        """Returns when this report of music is committed."""
        return self._music.submit(item)

    def observe(self, item: DeviceReport) -> Awaitable[None]:
        """Returns when this status update has been heard by all who listen to them."""
        return self._statuses.submit(item)

    async def _end_if_older(self, link: Link) -> None:
        """Another session of this link's device was greeted: the row says which of them is the newest."""
        look = Touch(device_pk=link.device_pk, session_id=link.session_id, at=clock.EPOCH)  # no sign of life
        if not (await self.touch(look)).current:
            self.hub.leave(link)
            link.supersede()

    async def deliver_due(self, devices: Sequence[int], *, reconnected: bool) -> None:
        """Sends these devices what the ledger has for them."""
        due = await self._in_store(
            lambda pks: ports.ledger().due(pks, reconnected=reconnected, now=clock.now()), devices
        )
        for device_pk, plays in due.items():
            link = self.hub.link_of(device_pk)
            for play in plays if link is not None else ():
                link.deliver(play)  # type: ignore[union-attr]  # the loop is empty without a link

    async def _touch_all(self, items: Sequence[Touch]) -> list[Touched]:
        touched = await self._in_store(store.touch, items)
        ports.audience().said({item.device_pk for item in items})
        sessions = {item.device_pk: item.session_id for item in items if item.takes_over}
        if sessions:
            await asyncio.to_thread(bus.publish, Superseded(sessions))
            await self.deliver_due(list(sessions), reconnected=True)
        return touched

    async def _store_reports(self, hand: ThreadPoolExecutor, items: Sequence[DeviceReport]) -> list[None]:
        await self._in_store(lambda batch: ports.ledger().store(batch, now=clock.now()), items, hand)
        return [None] * len(items)

    async def _store_music(self, items: Sequence[DeviceReport]) -> list[None]:
        await self._in_store(lambda batch: ports.music_log().store(batch, now=clock.now()), items)
        return [None] * len(items)

    async def _observe_statuses(self, items: Sequence[DeviceReport]) -> list[None]:
        """One observer that fails costs neither the others nor the devices anything but its own note."""
        for name, observer in ports.status_observers().items():
            try:
                await self._in_store(partial(_observe, observer), items)
            except Exception:
                logger.exception("%s could not observe the status of %s devices", name, len(items))
        return [None] * len(items)

    async def _subscribed(self) -> None:
        ports.audience().gap()
        await self._redeliver()

    async def _redeliver(self) -> None:
        devices = self.hub.devices
        if devices:
            await self.deliver_due(devices, reconnected=False)

    async def _redeliver_forever(self) -> None:
        while True:
            await asyncio.sleep(REDELIVER_EVERY_S)
            try:
                await self._in_store(lambda _: presence.listening(now=clock.now()), ())
                await self._redeliver()
            except Exception:
                logger.exception("what is due could not be read; trying again")

    async def _tell_figures(self) -> None:
        """Shows this process's sockets and queues to whoever looks, and tells them to the others' sums."""
        counting.SOCKETS.set_function(self.hub.__len__)
        for kind, batchers in self._batchers.items():
            counting.STORE_WAITING.labels(kind).set_function(partial(_waiting, batchers))
        while True:
            await asyncio.sleep(metrics.SHARE_EVERY_S)
            await asyncio.to_thread(metrics.share)

    async def _in_store(
        self, call: Callable[[Sequence[T]], R], items: Sequence[T], thread: ThreadPoolExecutor | None = None
    ) -> R:
        def run() -> R:
            try:
                return call(items)
            except Error:
                connections.close_all()  # the next call gets a fresh connection
                raise

        with counting.STORE_SECONDS.time():
            return await self.loop.run_in_executor(thread or self._thread, run)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a device task failed", exc_info=task.exception())


def _waiting(batchers: Sequence[Batcher[Any, Any]]) -> int:
    return sum(batcher.waiting for batcher in batchers)


def _observe(observer: ports.StatusObserver, items: Sequence[DeviceReport]) -> None:
    observer.observe(items, now=clock.now())


_runtime: Runtime | None = None


def running() -> Runtime:
    """This process's runtime, started on first use. Call it on the server's event loop."""
    global _runtime
    if _runtime is None or _runtime.loop is not asyncio.get_running_loop():
        _runtime = Runtime()
        _runtime.start()
    return _runtime


async def stop() -> None:
    """Ends this process's runtime, if it runs."""
    global _runtime
    if _runtime is not None and _runtime.loop is asyncio.get_running_loop():
        runtime, _runtime = _runtime, None
        await runtime.stop()
