"""What the socket needs from the apps above it, as ports that they fill at start.

`devices` stands below `events` and `playlists`, so it must not import them: the ledger of plays connects itself
with `connect_ledger`, the log of music with `connect_music_log`, whoever listens to what devices say of themselves
with `connect_status_observer`, and the dashboards, which share the subscription to the bus, with `connect_audience`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from devices import protocol
from devices.hub import Told


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One message of one device, with when it arrived (server's clock)."""

    device_pk: int
    message: protocol.Message
    at: datetime


class Ledger(Protocol):
    """The ledger of plays, as the socket sees it. Both calls are synchronous and open their own transaction."""

    def due(
        self, device_pks: Sequence[int], *, reconnected: bool, now: datetime
    ) -> Mapping[int, Sequence[protocol.PlayAnnouncement]]:
        """What these devices must still be told at `now`.

        `reconnected` asks for what they may have forgotten too: everything that has not started yet.
        """
        ...

    def store(self, reports: Sequence[DeviceReport], *, now: datetime) -> None:
        """Commits acks, starts and receipts; afterwards each receipt may be acknowledged to its device."""
        ...


_ledger: Ledger | None = None


def connect_ledger(ledger: Ledger) -> None:
    """Puts the ledger behind the socket."""
    global _ledger
    _ledger = ledger


def ledger() -> Ledger:
    """The connected ledger; raises `RuntimeError` when no app has connected one."""
    if _ledger is None:
        raise RuntimeError("No ledger is connected: is the events app installed?")
    return _ledger


class MusicLog(Protocol):
    """Where reports of music are kept. The call is synchronous and opens its own transaction."""

    def store(self, reports: Sequence[DeviceReport], *, now: datetime) -> None:
        """Commits many devices' `music_played`; afterwards they may be acknowledged. The same one may come twice."""
        ...


_music_log: MusicLog | None = None


def connect_music_log(log: MusicLog) -> None:
    """Puts the log of music behind the socket."""
    global _music_log
    _music_log = log


def music_log() -> MusicLog:
    """The connected log; raises `RuntimeError` when no app has connected one."""
    if _music_log is None:
        raise RuntimeError("No log of music is connected: is the playlists app installed?")
    return _music_log


class StatusObserver(Protocol):
    """Who listens to `status_update`. The call is synchronous and opens its own transaction."""

    def observe(self, reports: Sequence[DeviceReport], *, now: datetime) -> None:
        """Many devices' status updates, in the order in which they arrived; the same one may come twice."""
        ...


_observers: dict[str, StatusObserver] = {}


def connect_status_observer(name: str, observer: StatusObserver) -> None:
    """Lets `observer` hear every status update; connecting a name again replaces it."""
    _observers[name] = observer


def status_observers() -> Mapping[str, StatusObserver]:
    """All connected observers by name."""
    return _observers


class Audience(Protocol):
    """The open dashboards of this process. All calls are made on the server's event loop."""

    def heard(self, told: Told) -> None:
        """A message of the bus for them."""
        ...

    def said(self, devices: Collection[int]) -> None:
        """These devices have given a sign of life to this process, and it is committed."""
        ...

    def gap(self) -> None:
        """Messages of the bus may have been lost until now."""
        ...

    async def stop(self) -> None:
        """The server goes down."""
        ...


_audience: Callable[[], Audience] | None = None


def connect_audience(running: Callable[[], Audience]) -> None:
    """Puts the dashboards behind the bus; `running` starts them on first use."""
    global _audience
    _audience = running


def audience() -> Audience:
    """The dashboards of this process; raises `RuntimeError` when no app has connected any."""
    if _audience is None:
        raise RuntimeError("No dashboards are connected: is the live app installed?")
    return _audience()
