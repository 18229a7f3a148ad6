"""The hub: this process's live device sockets, and the shortest way from a message to all of them.

A message crosses the bus once per process with its addressees; the hub encodes a frame once and writes it straight
to the sockets. A socket that does not read fills its own bounded queue and is dropped; it never delays its
neighbours. Everything here runs on the server's event loop.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from typing import Any

import msgspec
from msgspec import Struct

from common import clock
from devices import counting, protocol
from devices.frames import Built, Orders, built
from devices.protocol import CloseCode, PlayAnnouncement

logger = logging.getLogger(__name__)

MOST_QUEUED = 256
"""Frames that may wait for one socket."""
WRITE_DEADLINE_S = 10.0
"""A frame that the peer does not take for this long ends the session."""


# --- what crosses the bus --------------------------------------------------------------------------------


class Frame(Struct, tag="frame", frozen=True):
    """One message for several devices."""

    devices: list[int]
    message: protocol.Outbound


class Target(Struct, frozen=True, array_like=True):
    """One device of a play: its row, its event, and what differs from the common message."""

    device: int
    event_id: str
    volume: int
    play_at: int
    expires_at: int


class Plays(Struct, tag="plays", frozen=True):
    """One announcement for several devices, each with its own event. `ordered_at`: µs UTC."""

    common: PlayAnnouncement
    targets: list[Target]
    ordered_at: int = 0


class Shut(Struct, tag="shut", frozen=True):
    """Close these devices' sockets."""

    devices: list[int]
    close_code: int
    code: str
    detail: str


class Superseded(Struct, tag="superseded", frozen=True):
    """These sessions of devices (session by device) have been greeted: others, wherever they are, may be older.

    Which one is the newest stands in the device's row; two messages like this one may cross.
    """

    sessions: dict[int, str]


class Wake(Struct, tag="wake", frozen=True):
    """Something is due for these devices: read it from the database."""

    devices: list[int]


class Change(Struct, frozen=True, array_like=True):
    """Rows of one topic changed for one business; `floor` is theirs, if they have one. No keys: many."""

    topic: Any
    client: int
    floor: int | None
    keys: list[str]


class Told(Struct, tag="told", frozen=True):
    """For dashboards: what has changed, and the devices whose state has."""

    changes: list[Change]
    devices: list[int] = []


HubMessage = Frame | Plays | Shut | Superseded | Wake | Told
encode_hub_messages = msgspec.json.Encoder().encode
decode_hub_messages = msgspec.json.Decoder(list[HubMessage]).decode


_SENDER = secrets.token_hex(8)
_transmissions = itertools.count()


def transmission_id() -> str:
    """Fresh for each transmission, of whatever process; a random one each would cost more than the whole frame."""
    return f"{_SENDER}{next(_transmissions):012x}"


def stamped(message: Any) -> Any:
    """The message as one transmission: with an id of its own and the instant it leaves."""
    return msgspec.structs.replace(message, id=transmission_id(), ts=clock.now_us())


# --- one socket ------------------------------------------------------------------------------------------


def _never(wire: bytes) -> bool:
    return False


class Link:
    """The sending side of one socket.

    A frame is written at once where the server offers that (`write_now` takes a frame of the wire, or answers False)
    and nothing waits before it. Else it goes into a bounded queue, which a task empties.
    """

    def __init__(
        self,
        *,
        device_pk: int,
        session_id: str,
        plain: bool,
        origin: str,
        send: Callable[[dict[str, Any]], Awaitable[None]],
        on_plain_play: Callable[[PlayAnnouncement], None],
        on_broken: Callable[[], None],
        write_now: Callable[[bytes], bool] = _never,
    ) -> None:
        self.device_pk = device_pk
        self.session_id = session_id
        self.plain = plain
        self._origin = origin
        self._send = send
        self._write_now = write_now
        self._on_plain_play = on_plain_play
        self._on_broken = on_broken
        self._queue: deque[Built | dict[str, Any]] = deque()
        """Frames, which many queues may share, and the close."""
        self._writer: asyncio.Task[None] | None = None
        self._over = False
        self._planned: dict[str, asyncio.TimerHandle] = {}
        self._told: set[str] = set()
        """What a plain device has been told: it cannot recognise a second telling."""
        self._context = copy_context()  # what the connection's lines are about, for what the hub says of it

    def put(self, payload: bytes) -> None:
        """Sends one message; a queue that is full ends the session."""
        self.put_built(built(payload))

    def put_built(self, frame: Built) -> None:
        """The same with a frame that may go to others too."""
        if self._over or (self._writer is None and self._write_now(frame.wire)):
            return
        if len(self._queue) >= MOST_QUEUED:
            self._context.run(logger.warning, "device %s does not read: dropped", self.device_pk)
            counting.CLOSES.labels("does_not_read").inc()
            self.broken()
            return
        self._enqueue(frame)

    def deliver(self, play: PlayAnnouncement) -> None:
        """Hands over a play. A plain device gets it at the moment of playing, in the brief's four fields."""
        if not self.plain:
            self.put(protocol.encode(stamped(play)))
            return
        if play.event_id in self._planned or play.event_id in self._told:
            return
        delay_s = (play.play_at - clock.now_us()) / 1e6
        self._planned[play.event_id] = asyncio.get_running_loop().call_later(
            max(0.0, delay_s), self._play_plainly, play
        )

    def cancel(self, event_id: str) -> None:
        """Forgets a play that a plain device has not been told yet."""
        planned = self._planned.pop(event_id, None)
        if planned is not None:
            planned.cancel()

    def shut(self, close_code: int, code: str, detail: str) -> None:
        """Queues the reason and the close; nothing is queued after it."""
        counting.CLOSES.labels(code).inc()
        if not self.plain:
            self.put(protocol.encode(stamped(protocol.Error(code=code, detail=detail))))
        if not self._over:
            self._enqueue({"type": "websocket.close", "code": close_code, "reason": code})
            self._over = True

    def supersede(self) -> None:
        """Closes: a newer session of the device is the one that counts."""
        self.shut(CloseCode.SUPERSEDED, "superseded", "A newer connection of this device took over.")

    def broken(self) -> None:
        """Ends the session at once, without a word to a peer that does not listen."""
        self._end()
        self._on_broken()

    def stop(self) -> None:
        """The socket is gone: nothing more is written."""
        for planned in self._planned.values():
            planned.cancel()
        self._end()

    async def ended(self) -> None:
        """Returns when the close that was queued is written, or the writer has given up."""
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=WRITE_DEADLINE_S)

    def _end(self) -> None:
        self._over = True
        if self._writer is not None:
            self._writer.cancel()

    def _enqueue(self, waiting: Built | dict[str, Any]) -> None:
        self._queue.append(waiting)
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write(), context=self._context)

    def _play_plainly(self, play: PlayAnnouncement) -> None:
        self._planned.pop(play.event_id, None)
        if clock.now_us() >= play.expires_at:
            return
        self._told.add(play.event_id)
        plain = {
            "type": "play_announcement",
            "announcement_id": play.announcement_id,
            "audio_url": self._origin + play.audio_url if play.audio_url.startswith("/") else play.audio_url,
            "volume": play.volume,
        }
        self.put(msgspec.json.encode(plain))
        self._on_plain_play(play)

    async def _write(self) -> None:
        try:
            while self._queue:
                event = self._queue.popleft()
                if isinstance(event, Built):
                    event = {"type": "websocket.send", "text": event.payload.decode()}
                async with asyncio.timeout(WRITE_DEADLINE_S):
                    await self._send(event)
        except TimeoutError:
            logger.warning("device %s took no frame for %s s: dropped", self.device_pk, WRITE_DEADLINE_S)
            counting.CLOSES.labels("does_not_read").inc()
            self._over = True
            self._on_broken()
        except (OSError, RuntimeError):  # the peer is gone; the reading side notices it too
            self._over = True
            self._on_broken()
        finally:
            self._writer = None


# --- all sockets of the process --------------------------------------------------------------------------


class Hub:
    """The live links of this process, by device. The newest link of a device is the only one."""

    def __init__(
        self,
        *,
        on_wake: Callable[[list[int]], None],
        on_rival: Callable[[Link], None],
        on_told: Callable[[Told], None],
    ) -> None:
        self._links: dict[int, Link] = {}
        self._on_wake = on_wake
        self._on_rival = on_rival
        self._actions: dict[type[Any], Callable[[Any], None]] = {
            Frame: self._frame,
            Plays: self._plays,
            Shut: self._shut,
            Superseded: self._superseded,
            Wake: self._wake,
            Told: on_told,
        }

    def __len__(self) -> int:
        return len(self._links)

    @property
    def devices(self) -> list[int]:
        """The devices that hang on this process."""
        return list(self._links)

    def join(self, link: Link) -> None:
        """Takes a greeted link in; an older one of the same device is told and closed."""
        older = self._links.get(link.device_pk)
        self._links[link.device_pk] = link
        if older is not None:
            older.supersede()

    def leave(self, link: Link) -> None:
        """Forgets a link, unless a newer one has taken its place."""
        if self._links.get(link.device_pk) is link:
            del self._links[link.device_pk]

    def link_of(self, device_pk: int) -> Link | None:
        """The device's link on this process."""
        return self._links.get(device_pk)

    def dispatch(self, message: HubMessage) -> None:
        """Carries out one message of the bus."""
        self._actions[type(message)](message)

    def shut_all(self, close_code: int, code: str, detail: str) -> None:
        """Tells every device why, and closes: the server goes down."""
        for link in self._links.values():
            link.shut(close_code, code, detail)

    def _local(self, devices: Iterable[int]) -> Iterable[Link]:
        for device in devices:
            link = self._links.get(device)
            if link is not None:
                yield link

    def _frame(self, message: Frame) -> None:
        frame = built(protocol.encode(stamped(message.message)))
        for link in self._local(message.devices):
            if isinstance(message.message, protocol.CancelAnnouncement):
                link.cancel(message.message.event_id)
            if not link.plain:
                link.put_built(frame)

    def _plays(self, message: Plays) -> None:
        orders = Orders(message.common)
        now_us = clock.now_us()
        for target in message.targets:
            link = self._links.get(target.device)
            if link is None:
                continue
            own = {
                "event_id": target.event_id,
                "volume": target.volume,
                "play_at": target.play_at,
                "expires_at": target.expires_at,
            }
            if link.plain:
                link.deliver(msgspec.structs.replace(message.common, **own))
            else:
                link.put(orders.of(id=transmission_id(), ts=now_us, **own))
        if message.ordered_at:
            counting.DISPATCH_SECONDS.observe(max(0, clock.now_us() - message.ordered_at) / 1e6)

    def _shut(self, message: Shut) -> None:
        for link in self._local(message.devices):
            link.shut(message.close_code, message.code, message.detail)

    def _superseded(self, message: Superseded) -> None:
        for device, session_id in message.sessions.items():
            link = self._links.get(device)
            if link is not None and link.session_id != session_id:
                self._on_rival(link)

    def _wake(self, message: Wake) -> None:
        here = [link.device_pk for link in self._local(message.devices)]
        if here:
            self._on_wake(here)
