"""What the ledger asks of the apps above it: the plays that their rules planned, the floors that are stopped.

`events` stands below `playlists` and `schedules` and must not import them; each connects itself when its Django
app is ready (`connect_planner`). Whoever means a play means the same row: its id is derived
(`schedules.domain.ids`), so the tick that writes rows ahead and a device's receipt fall together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct


class PlannedEvent(Struct, frozen=True, gc=False):
    """One device of a planned play; `volume` 0–100 within its floor's bounds.

    A tick makes tens of thousands: a dataclass takes five times as long, and the garbage collector would walk through
    them all.
    """

    event_id: UUID
    device_pk: int
    volume: int


class PlannedPlay(Struct, frozen=True, kw_only=True):
    """One occurrence that a rule planned at one place: what `events.planned.insert` writes into the ledger.

    Instants µs UTC, `duck_db` dB. `play_id` is the same at all places of the occurrence. `floor_pk` is where the
    devices were to play it, `announcement_pk` None if nothing could be chosen. `priority` and `late` are the ledger's.
    """

    play_id: UUID
    client_pk: int
    floor_pk: int | None
    announcement_pk: int | None
    priority: str
    play_at: int
    expires_at: int
    duck_db: float
    late: str
    events: Sequence[PlannedEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A device hands in receipts for events that have no row: it played, or passed over, while offline.

    The plays asked for were due in [`earliest`, `latest`), µs UTC.
    """

    device_pk: int
    event_ids: frozenset[UUID]
    earliest: int
    latest: int


class PlannedEvents(Protocol):
    """An app whose rules plan plays."""

    def planned(self, questions: Sequence[Question]) -> Iterable[PlannedPlay]:
        """The plays asked for that this app's rules planned, now or as they stood then; others are left out.

        Called inside the ledger's transaction and the system's scope. An id is a hash of what it names, so the
        way to find it is to enumerate that device's own plays in the question's time and compare.
        """
        ...


_planners: dict[str, PlannedEvents] = {}


def connect_planner(name: str, planner: PlannedEvents) -> None:
    """Lets the ledger ask this app (`"playlists"`, `"schedules"`); connecting a name again replaces it."""
    _planners[name] = planner


def planners() -> tuple[PlannedEvents, ...]:
    """All connected apps."""
    return tuple(_planners.values())


class FloorStops(Protocol):
    """The app that knows which floors somebody has told to be silent."""

    def stopped(self, floor_pks: Collection[int], at: datetime) -> Mapping[int, datetime | None]:
        """Those of these floors that are stopped at that instant, and until when; None until somebody lifts it."""
        ...


_stops: FloorStops | None = None


def connect_stops(stops: FloorStops) -> None:
    """Lets the ledger ask which floors are stopped."""
    global _stops
    _stops = stops


def stops() -> FloorStops:
    """The connected app; raises `RuntimeError` when none has connected."""
    if _stops is None:
        raise RuntimeError("Nobody says which floors are stopped: is the schedules app installed?")
    return _stops
