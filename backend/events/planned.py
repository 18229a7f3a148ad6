"""Plays that rules planned, as rows of the ledger: written ahead by a tick, or when a receipt names one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from announcements.models import Announcement
from common import clock
from devices import protocol
from devices.models import Device
from devices.ports import DeviceReport
from events import ports
from events.domain import ledger
from events.models import PlayEvent, PlayEventChange
from zones.models import Floor

AT_ONCE = 1000
"""Rows of one INSERT."""
AROUND = timedelta(minutes=5)
"""A play begins within this much of the instant for which it was planned: what yields waits a minute or so."""
LONGEST_AWAY = timedelta(days=3)
"""A receipt that does not say when its play began is about one of the last three days: no plan reaches further."""


def insert(plays: Sequence[ports.PlannedPlay], *, now: datetime, reason: str = "") -> int:
    """Writes the rows that are not there yet, with the first entry of their history; returns how many.

    They are `pending`, or with a `reason` of the ledger (`missed`, `quiet_hours`, …) `failed` from the beginning.
    A row that exists, whatever its state, stays as it is. A device that is gone has no more rows; an
    announcement or a floor that is gone leaves its reference empty. Needs a transaction, and a scope that sees
    the devices.
    """
    there = set(
        PlayEvent.objects.filter(pk__in=[play.event_id for play in plays]).values_list("pk", flat=True)
    )
    plays = [play for play in plays if play.event_id not in there]
    if not plays:
        return 0
    devices = Device.objects.in_bulk({play.device_pk for play in plays})
    titles = _names(Announcement, "title", (play.announcement_pk for play in plays))
    floors = _names(Floor, "name", (play.floor_pk for play in plays))
    rows = [
        PlayEvent(
            id=play.event_id,
            play_id=play.play_id,
            announcement_id=play.announcement_pk if play.announcement_pk in titles else None,
            announcement_title=titles.get(play.announcement_pk, ""),
            device_id=play.device_pk,
            device_name=devices[play.device_pk].name,
            client_id=devices[play.device_pk].client_id,
            floor_id=play.floor_pk if play.floor_pk in floors else None,
            floor_name=floors.get(play.floor_pk, ""),
            event_type=PlayEvent.Type.SCHEDULED,
            priority=play.priority,
            status=ledger.FAILED if reason else ledger.PENDING,
            reason=reason,
            error_message=ledger.REASONS[reason],
            completed_at=now if reason else None,
            play_at=clock.from_us(play.play_at),
            expires_at=clock.from_us(play.expires_at),
            volume=play.volume,
            duck_db=play.duck_db,
            late=play.late,
            created_at=now,
        )
        for play in plays
        if play.device_pk in devices
    ]
    PlayEvent.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
    PlayEventChange.objects.bulk_create(
        [
            PlayEventChange(event_id=row.pk, at=now, status=row.status, reason=reason, source="server")
            for row in rows
        ],
        batch_size=AT_ONCE,
    )
    return len(rows)


def questions(reports: Iterable[tuple[DeviceReport, UUID]]) -> list[ports.Question]:
    """One question for each device about the events that it has begun or ended; acks ask nothing.

    An ack answers a push, and what is pushed has a row.
    """
    asked: dict[int, ports.Question] = {}
    for report, event_id in reports:
        match report.message:
            case protocol.PlaybackStarted() | protocol.PlaybackComplete() as message:
                earliest, latest = _when(message.started_at, report.at)
            case _:
                continue
        one = asked.get(report.device_pk)
        asked[report.device_pk] = ports.Question(
            device_pk=report.device_pk,
            event_ids=(one.event_ids if one else frozenset()) | {event_id},
            earliest=min(earliest, one.earliest) if one else earliest,
            latest=max(latest, one.latest) if one else latest,
        )
    return list(asked.values())


def _when(started_at: int | None, arrived: datetime) -> tuple[int, int]:
    """Between which instants (µs UTC) a play was due that began at `started_at`, by a device that may err."""
    around = AROUND // clock.MICROSECOND
    first, last = clock.to_us(arrived - LONGEST_AWAY), clock.to_us(arrived)
    if started_at is not None and first <= started_at <= last + around:
        return started_at - around, started_at + around
    return first, last + around


def insert_asked(questions: Sequence[ports.Question], *, now: datetime) -> int:
    """Asks every app that plans for these plays, and writes those it knows; returns how many."""
    asked = {(question.device_pk, event_id) for question in questions for event_id in question.event_ids}
    found = {
        play.event_id: play
        for planner in ports.planners()
        for play in planner.planned(questions)
        if (play.device_pk, play.event_id) in asked
    }
    return insert(list(found.values()), now=now)


def _names(
    model: type[Announcement] | type[Floor], column: str, keys: Iterable[int | None]
) -> dict[int | None, str]:
    """The names of these rows by their keys; those that are gone are left out."""
    wanted = {key for key in keys if key is not None}
    return dict(model.objects.filter(pk__in=wanted).values_list("pk", column))
