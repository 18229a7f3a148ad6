"""Plays that rules planned, as rows of the ledger: written ahead by a tick, or when a receipt names one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from common import clock
from common.given import given
from devices import protocol
from devices.ports import DeviceReport
from events import counting, ports
from events.alerts import ALARMING, tell_failed
from events.domain import ledger
from events.models import PlayEvent
from events.told import believed
from live.changes import tell_plays_of

AROUND = timedelta(minutes=5)
"""A play begins within this much of the instant for which it was planned: what yields waits a minute or so."""
LONGEST_AWAY = timedelta(days=3)
"""A receipt that gives no instant is about one of the last three days: no plan reaches further."""


def insert(plays: Sequence[ports.PlannedPlay], *, now: datetime, reason: str = "") -> set[UUID]:
    """Writes the rows that are not there yet; returns their ids.

    They are `pending`, or with a `reason` of the ledger (`missed`, `quiet_hours`, …) `failed` from the beginning; that
    is then the first entry of their history. A row that exists, whatever its state, stays as it is. A device that is
    gone has no more rows; an announcement or a floor that is gone leaves its reference empty. Needs a transaction.
    """
    if not plays:
        return set()
    instants = {at: clock.from_us(at) for play in plays for at in (play.play_at, play.expires_at)}
    table, values = given(
        "p",
        {
            "id": ("uuid", [play.event_id for play in plays]),
            "play_id": ("uuid", [play.play_id for play in plays]),
            "device_id": ("bigint", [play.device_pk for play in plays]),
            "floor_id": ("bigint", [play.floor_pk for play in plays]),
            "announcement_id": ("bigint", [play.announcement_pk for play in plays]),
            "priority": ("text", [play.priority for play in plays]),
            "play_at": ("timestamptz", [instants[play.play_at] for play in plays]),
            "expires_at": ("timestamptz", [instants[play.expires_at] for play in plays]),
            "volume": ("smallint", [play.volume for play in plays]),
            "duck_db": ("float8", [play.duck_db for play in plays]),
            "late": ("text", [play.late for play in plays]),
        },
    )
    status = ledger.FAILED if reason else ledger.PENDING
    ended = now if reason else None
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT.format(given=table),
            [status, reason, ledger.REASONS[reason], _instant(ended), _instant(now), *values],
        )
        made = _ids(cursor.fetchall(), plays)
        if reason:
            table, values = given("made", {"id": ("uuid", list(made))})
            cursor.execute(_REMEMBER.format(given=table), [_instant(now), status, reason, *values])
            _count_ended(plays, made, reason)
    tell_plays_of({play.device_pk for play in plays if play.event_id in made})
    if reason in ALARMING:
        tell_failed(PlayEvent._base_manager.filter(pk__in=made).order_by("play_at"), now=now)
    return made


def _count_ended(plays: Sequence[ports.PlannedPlay], made: Set[UUID], reason: str) -> None:
    numbers = Counter(play.priority for play in plays if play.event_id in made)
    for priority, number in numbers.items():
        counting.note_ended(status=ledger.FAILED, reason=reason, priority=priority, number=number)


_INSERT = """
INSERT INTO play_events (
    id, play_id, announcement_id, announcement_title, device_id, device_name, client_id, floor_id, floor_name,
    event_type, priority, status, reason, error_message, completed_at, created_at, play_at, expires_at, volume,
    duck_db, late, waits_for_device, override_quiet_hours, outcome
)
SELECT
    p.id, p.play_id, a.id, COALESCE(a.title, ''), d.id, d.name, d.client_id, f.id, COALESCE(f.name, ''),
    'scheduled', p.priority, %s, %s, %s, %s, %s, p.play_at, p.expires_at, p.volume,
    p.duck_db, p.late, false, false, ''
FROM {given}
JOIN devices d ON d.id = p.device_id
LEFT JOIN announcements a ON a.id = p.announcement_id
LEFT JOIN floors f ON f.id = p.floor_id
WHERE true
ON CONFLICT DO NOTHING
RETURNING CAST(id AS text)
"""
"""All at once: row by row it is thirty times as slow. SQLite reads ON as a join's unless a WHERE stands before it."""

_REMEMBER = """
INSERT INTO play_event_changes (event_id, at, status, reason, source, correction, detail)
SELECT made.id, %s, %s, %s, 'server', false, '{{}}' FROM {given}
"""


def _instant(at: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _ids(rows: Sequence[tuple[str]], plays: Sequence[ports.PlannedPlay]) -> set[UUID]:
    """The keys as the database hands them out. As a rule all are new, and need not be read: that takes its time."""
    if len(rows) == len(plays):
        return {play.event_id for play in plays}
    return {UUID(key) for (key,) in rows}


def questions(reports: Iterable[tuple[DeviceReport, UUID]]) -> list[ports.Question]:
    """One question for each device about the events that it has begun or ended; acks ask nothing.

    An ack answers a push, and what is pushed has a row.
    """
    asked: dict[int, ports.Question] = {}
    for report, event_id in reports:
        match report.message:
            case protocol.PlaybackStarted() | protocol.PlaybackComplete() as message:
                earliest, latest = _when(message, report.at)
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


def _when(
    message: protocol.PlaybackStarted | protocol.PlaybackComplete, arrived: datetime
) -> tuple[int, int]:
    """Between which instants (µs UTC) the play was due that this is about, by a device that may err."""
    around = AROUND // clock.MICROSECOND
    due = message.play_at if isinstance(message, protocol.PlaybackComplete) else None
    for instant in (due, message.started_at):
        near = believed(instant, arrived)
        if near is not None:
            return near - around, near + around
    return clock.to_us(arrived - LONGEST_AWAY), clock.to_us(arrived) + around


def insert_asked(questions: Sequence[ports.Question], *, now: datetime) -> set[UUID]:
    """Asks every app that plans for these plays, and writes those it knows; returns their ids."""
    asked = {(question.device_pk, event_id) for question in questions for event_id in question.event_ids}
    found = {
        play.event_id: play
        for planner in ports.planners()
        for play in planner.planned(questions)
        if (play.device_pk, play.event_id) in asked
    }
    return insert(list(found.values()), now=now)
