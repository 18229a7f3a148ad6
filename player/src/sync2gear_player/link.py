"""Holds the socket to the server: connects, carries frames for `Session`, comes back after every loss."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from sync2gear_player.backoff import REFUSED_S, Backoff
from sync2gear_player.clock import Clock
from sync2gear_player.clockfilter import Probe
from sync2gear_player.messages import (
    Ack,
    Goodbye,
    Hello,
    Incoming,
    Junk,
    MusicStretch,
    Outgoing,
    Receipt,
    Reconnect,
    ServerError,
    TimeReply,
    Welcome,
    encode,
)
from sync2gear_player.network import Network, NetworkError, Socket
from sync2gear_player.session import SILENT_US, Session

GOODBYE_TIMEOUT_S = 1.0
SEND_TIMEOUT_S = SILENT_US / 1e6
"""A message that waits so long for room, behind a backlog on a dead connection, waits for nobody."""

log = logging.getLogger(__name__)


class Handler(Protocol):
    """Who the link works for."""

    def hello(self) -> Hello:
        """The opening of a new session."""

    def owed(self) -> list[Receipt]:
        """Receipts that the server has not acknowledged."""

    def now(self) -> int:
        """µs UTC for the envelope."""

    def probed(self, probe: Probe, burst: tuple[int, int]) -> None:
        """One exchange of the clock."""

    async def message(self, message: Incoming) -> None:
        """Any other message, `welcome` included."""


class Link:
    """One socket at a time, for ever, until `close`."""

    def __init__(
        self, *, network: Network, clock: Clock, backoff: Backoff, url: str, token: str, handler: Handler
    ) -> None:
        self._network = network
        self._clock = clock
        self._backoff = backoff
        self._url = url
        self._token = token
        self._handler = handler
        self._session: Session | None = None
        self._socket: Socket | None = None
        self._sessions = 0
        self._wake = asyncio.Event()
        self._reconnect_s: float | None = None

    @property
    def receipts_pending(self) -> int:
        """Receipts that this session has not had acknowledged; 0 without one."""
        return self._session.receipts_pending if self._session is not None else 0

    @property
    def welcome(self) -> Welcome | None:
        """The server's answer to this session's hello, if there is a session and an answer."""
        return self._session.welcome if self._session is not None else None

    def say(self, message: Outgoing, *, urgent: bool = False) -> None:
        """Sends a message if there is a session; what only matters now is not kept for later."""
        if self._session is not None:
            self._session.say(message, urgent=urgent)
            self._wake.set()

    def owe(self, receipt: Receipt) -> None:
        """Sends a receipt now if there is a session; the journal has it for the next one."""
        if self._session is not None:
            self._session.owe(receipt)
            self._wake.set()

    def owe_music(self, stretches: Iterable[MusicStretch]) -> None:
        """Sends stretches of music if there is a session; the journal has them for the next one."""
        if self._session is not None:
            self._session.owe_music(stretches)
            self._wake.set()

    async def run(self) -> None:
        """Connects and reconnects by the protocol's backoff; returns only by cancellation."""
        while True:
            code = await self._attempt()
            if self._reconnect_s is not None:
                wait, self._reconnect_s = self._reconnect_s, None
            else:
                wait = self._backoff.next_wait(code)
            if wait >= REFUSED_S:
                log.error(
                    "the server refuses this speaker (%s); it asks again every %d min. "
                    "If it was removed or its token revoked, start it once with --pair.",
                    code,
                    REFUSED_S // 60,
                )
            log.info("next connection in %.1f s", wait)
            await asyncio.sleep(wait)

    async def close(self, reason: str) -> None:
        """Says goodbye and closes the socket, if there is one."""
        if self._socket is None:
            return
        with suppress(NetworkError, TimeoutError):
            async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                await self._socket.send(encode(Goodbye(reason=reason), self._handler.now()))
                await self._socket.close(1000, reason)

    async def _attempt(self) -> int | None:
        try:
            socket = await self._network.connect(self._url, self._token)
        except NetworkError as error:
            log.warning("%s", error)
            return error.code
        self._socket = socket
        self._sessions += 1
        session = Session(self._handler.hello(), self._handler.owed(), self._clock.monotonic_us())
        self._session = session
        tasks = [
            asyncio.create_task(self._send(socket, session)),
            asyncio.create_task(self._receive(socket, session)),
        ]
        code: int | None = None
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._session = self._socket = None
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, NetworkError):
                    log.warning("%s", result)
                    code = result.code or code
                elif isinstance(result, Exception):
                    log.error(
                        "the session broke by a fault of this program; the music goes on", exc_info=result
                    )
            with suppress(NetworkError, TimeoutError):
                async with asyncio.timeout(GOODBYE_TIMEOUT_S):
                    await socket.close(1000, "")
        if session.welcomed_us is not None:
            self._backoff.lasted((self._clock.monotonic_us() - session.welcomed_us) / 1e6)
        return code

    async def _send(self, socket: Socket, session: Session) -> None:
        while True:
            self._wake.clear()
            for message in session.due(self._clock.monotonic_us()):
                try:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await socket.send(encode(message, self._handler.now()))
                except TimeoutError:
                    raise NetworkError("the server takes nothing") from None
            now = self._clock.monotonic_us()
            if session.failed(now):
                raise NetworkError("the server is silent")
            with suppress(TimeoutError):
                async with asyncio.timeout((session.wake_us(now) - now) / 1e6):
                    await self._wake.wait()

    async def _receive(self, socket: Socket, session: Session) -> None:
        while True:
            frame = await socket.receive()
            at = self._clock.monotonic_us()
            message = session.received(frame, at)
            match message:
                case TimeReply():
                    probe = session.probe_of(message, at)
                    if probe is not None:
                        self._handler.probed(probe, (self._sessions, session.burst_number))
                case Junk():
                    log.warning("a message was not understood: %s", message.why)
                    if message.event_id:
                        session.say(
                            Ack(event_id=message.event_id, state="cannot", reason="malformed"), urgent=True
                        )
                case ServerError():
                    log.warning("the server says %s: %s", message.code, message.detail)
                case Reconnect():
                    self._reconnect_s = message.after_ms / 1000
                    return
                case _:
                    await self._handler.message(message)
            self._wake.set()
