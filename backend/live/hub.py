"""The open dashboards of this process. What happens within GATHERED_S goes out as one frame; the state of speakers is
read once for all of them, and each is sent what its scope shows. A page that does not read is dropped.

Everything here runs on the server's event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connections

from common import clock
from common.tenancy import Scope
from devices import bus
from devices.hub import Change, Told
from live import counting, protocol, store
from live.journal import Journal
from live.protocol import CloseCode
from live.store import Looking

logger = logging.getLogger(__name__)

T = TypeVar("T")

GATHERED_S = 0.5
CHECKED_EVERY_S = 5.0
"""How soon at the latest a socket ends whose person may not look any more."""
MOST_QUEUED = 64
"""Frames that may wait for one socket."""
WRITE_DEADLINE_S = 10.0
MOST_OF_ONE = 20
"""Sockets of one person at one process."""


class Outlet:
    """The sending side of one dashboard's socket: a bounded queue, which a task empties."""

    def __init__(self, looking: Looking, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self.looking = looking
        self.ended = asyncio.Event()
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MOST_QUEUED)
        self._send = send
        self._closing = False
        self._writer = asyncio.create_task(self._write())

    def put(self, *messages: protocol.Outbound) -> None:
        """Sends these; a queue that is full ends the session."""
        for message in messages:
            self._enqueue({"type": "websocket.send", "text": protocol.encode(message).decode()})

    def shut(self, close_code: int, code: str, detail: str) -> None:
        """Says why, and closes; nothing is sent after it."""
        counting.CLOSES.labels(code).inc()
        self.put(protocol.Error(code=code, detail=detail))
        self._enqueue({"type": "websocket.close", "code": close_code, "reason": code})
        self._closing = True

    async def stop(self) -> None:
        """Lets what is queued go out if the socket is being closed by us, and ends."""
        if not self._closing:
            self._writer.cancel()
        await asyncio.wait({self._writer})

    def _enqueue(self, event: dict[str, Any]) -> None:
        if self._closing or self._writer.done():
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            logger.warning("a dashboard of person %s does not read: dropped", self.looking.person)
            counting.CLOSES.labels("does_not_read").inc()
            self._writer.cancel()
            self.ended.set()

    async def _write(self) -> None:
        try:
            while True:
                event = await self._queue.get()
                async with asyncio.timeout(WRITE_DEADLINE_S):
                    await self._send(event)
                if event["type"] == "websocket.close":
                    return
        except TimeoutError:
            logger.warning("a dashboard of person %s took no frame: dropped", self.looking.person)
            counting.CLOSES.labels("does_not_read").inc()
        except (OSError, RuntimeError):  # the peer is gone; the reading side notices it too
            counting.CLOSES.labels("gone").inc()
        finally:
            self.ended.set()


class Dashboards:
    """`devices.ports.Audience`: the outlets of this process, and what has happened since the last frame."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.stopped = False
        self.journal = Journal(complete_since=clock.now_us())
        self._outlets: set[Outlet] = set()
        self._changes: set[tuple[int, Any, int | None, str]] = set()
        self._devices: set[int] = set()
        self._due = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._said: set[int] = set()
        self._sending = asyncio.Lock()
        """Frames go out in the order of their `as_of`, and what is read is not older than what was sent before."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dashboards")
        self._spawn(self._look_after())
        counting.SOCKETS.set_function(self._outlets.__len__)

    # --- what comes over the bus ---

    def heard(self, told: Told) -> None:
        """Remembers it, and gathers it if anybody looks."""
        now_us = clock.now_us()
        for change in told.changes:
            self.journal.note(change, now_us=now_us)
        if not self._outlets:
            return
        for change in told.changes:
            self._changes.update(
                (change.client, change.topic, change.floor, key) for key in change.keys or [""]
            )
        self._devices.update(told.devices)
        if not self._due:
            self._due = True
            self._soon(self._flush)

    def said(self, devices: Collection[int]) -> None:
        """Gathers them for the bus: a thousand speakers that come at once are a few messages."""
        if not self._said:
            self._soon(self._pass_on)
        self._said.update(devices)

    async def _pass_on(self) -> None:
        devices, self._said = sorted(self._said), set()
        if devices:
            await asyncio.to_thread(bus.publish, Told([], devices=devices))

    def gap(self) -> None:
        """Whoever looks asks anew."""
        self.journal.gap(now_us=clock.now_us())
        for outlet in list(self._outlets):
            self._spawn(self._anew(outlet))

    async def _anew(self, outlet: Outlet) -> None:
        async with self._sending:
            outlet.put(protocol.Reload(as_of=clock.now_us()), *await self._all_states(outlet.looking.scope))

    async def _flush(self) -> None:
        async with self._sending:
            self._due = False
            changes, self._changes = self._changes, set()
            devices, self._devices = self._devices, set()
            as_of = clock.now_us()
            groups: dict[Scope, list[Outlet]] = defaultdict(list)
            for outlet in self._outlets:
                groups[outlet.looking.scope].append(outlet)
            clients = {scope.client_id for scope in groups if scope.client_id is not None}
            states = await self.in_store(lambda: store.states_of(devices, clients=clients)) if devices else {}
            named = [
                Change(topic, client, floor, [key] if key else []) for client, topic, floor, key in changes
            ]
            for scope, outlets in groups.items():
                messages: list[protocol.Outbound] = []
                if topics := seen_in(scope, named):
                    messages.append(protocol.Changed(as_of=as_of, topics=topics))
                shown = [
                    state for state in states.get(scope.client_id or 0, ()) if _shows(scope, state.floor)
                ]
                messages += _frames(shown, as_of)
                for outlet in outlets:
                    outlet.put(*messages)

    # --- coming and going ---

    async def join(self, outlet: Outlet, as_of: int | None) -> None:
        """Takes a greeted page in, and tells it what it has missed since `as_of`; then how all speakers are."""
        looking = outlet.looking
        if Counter(other.looking.person for other in self._outlets)[looking.person] >= MOST_OF_ONE:
            outlet.shut(CloseCode.OVERLOAD, "overload", "Too many dashboards are open at once.")
            return
        async with self._sending:
            missed = None if as_of is None else self.journal.since(as_of, client=looking.ticket.client)
            now_us = clock.now_us()
            self._outlets.add(outlet)
            outlet.put(protocol.Welcome(as_of=now_us, reload=as_of is not None and missed is None))
            if topics := seen_in(looking.scope, missed or ()):
                outlet.put(protocol.Changed(as_of=now_us, topics=topics))
            outlet.put(*await self._all_states(looking.scope))

    def leave(self, outlet: Outlet) -> None:
        """Forgets it."""
        self._outlets.discard(outlet)

    async def stop(self) -> None:
        """Tells the pages to come back, passes on what speakers have said, and ends."""
        self.stopped = True
        for outlet in list(self._outlets):
            outlet.shut(CloseCode.RESTART, "restart", "The server restarts; come back.")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._pass_on()
        except Exception:  # whatever it is, the server has to end
            logger.exception("what speakers said last could not be passed on")
        self._thread.shutdown(wait=False)

    async def _all_states(self, scope: Scope) -> list[protocol.Outbound]:
        as_of = clock.now_us()
        return _frames(await self.in_store(lambda: store.states_in(scope)), as_of, fresh=True)

    # --- from time to time ---

    async def _look_after(self) -> None:
        beat_at = self.loop.time()
        while True:
            await asyncio.sleep(CHECKED_EVERY_S)
            try:
                await self._end_what_has_ended()
            except Exception:
                logger.exception("it could not be read who may still look; trying again")
            if self.loop.time() >= beat_at + protocol.BEAT_S:
                beat_at = self.loop.time()
                async with self._sending:
                    for outlet in list(self._outlets):
                        outlet.put(protocol.Beat(as_of=clock.now_us()))

    async def _end_what_has_ended(self) -> None:
        outlets = list(self._outlets)
        if not outlets:
            return
        now = await self.in_store(lambda: store.scopes([outlet.looking.ticket for outlet in outlets]))
        for outlet, looking in zip(outlets, now, strict=True):
            if looking is None or looking.scope != outlet.looking.scope:
                self.leave(outlet)
                outlet.shut(CloseCode.ENDED, "access_ended", "Sign in again to go on.")

    async def in_store(self, call: Callable[[], T]) -> T:
        """What `call` answers, on the thread that reads for dashboards. No connection is held between two calls."""

        def run() -> T:
            try:
                return call()
            finally:
                connections.close_all()

        return await self.loop.run_in_executor(self._thread, run)

    def _soon(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        def begin() -> None:
            if not self.stopped:
                self._spawn(work())

        self.loop.call_later(GATHERED_S, begin)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("dashboards could not be told", exc_info=task.exception())
            self.journal.gap(now_us=clock.now_us())


def seen_in(scope: Scope, changes: Iterable[Change]) -> dict[Any, list[str] | None]:
    """What of these changes is told in a scope, by topic.

    Rows of a floor are named to its floor users, and to no others; of rows that belong to no floor they hear only that
    something has changed, for it may be nothing that they see.
    """
    topics: dict[Any, set[str] | None] = {}
    for change in changes:
        if change.client != scope.client_id:
            continue
        own = not scope.floor_bound or (change.floor is not None and change.floor == scope.floor_id)
        if not own and change.floor is not None:
            continue
        known = topics.setdefault(change.topic, set())
        topics[change.topic] = known | set(change.keys) if own and change.keys and known is not None else None
    return {
        topic: None if keys is None or len(keys) > protocol.MOST_IDS else sorted(keys)
        for topic, keys in topics.items()
    }


def _shows(scope: Scope, floor: int | None) -> bool:
    return not scope.floor_bound or (floor is not None and floor == scope.floor_id)


def _frames(
    states: Sequence[protocol.DeviceState], as_of: int, *, fresh: bool = False
) -> list[protocol.Outbound]:
    """These states in frames of a decent size; a fresh list has one frame at least."""
    size = protocol.DEVICES_IN_A_FRAME
    cuts = range(0, max(len(states), 1 if fresh else 0), size)
    return [
        protocol.Devices(as_of=as_of, devices=list(states[cut : cut + size]), fresh=fresh and cut == 0)
        for cut in cuts
    ]


_running: Dashboards | None = None


def running() -> Dashboards:
    """This process's dashboards, started on first use. Call it on the server's event loop."""
    global _running
    if _running is None or _running.loop is not asyncio.get_running_loop():
        _running = Dashboards()
    return _running
