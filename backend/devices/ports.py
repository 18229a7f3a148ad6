"""What the socket needs from the app above it, as a port: the ledger of plays fills it at start.

`devices` stands below `events`, so it must not import it; `events.apps` calls `connect_ledger`.
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
