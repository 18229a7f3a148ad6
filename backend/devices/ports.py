"""What the socket needs from the apps above it, as ports that they fill at start.

`devices` stands below `events` and `playlists`, so it must not import them: the ledger of plays connects itself
with `connect_ledger`, the log of music with `connect_music_log`, whoever listens to what devices say of themselves
with `connect_status_observer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from devices import protocol


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
