"""Plays that rules planned, as rows of the ledger: written ahead by a tick, or when a receipt names one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from msgspec.structs import replace

from common import clock
from common.given import given, joined
from devices import protocol
from devices.ports import DeviceReport
from events import counting, ports
from events.alerts import ALARMING, tell_failed
from events.domain import ledger
from events.models import PlayEvent
from events.told import believed
from live.changes import tell_plays_at

AROUND = timedelta(minutes=5)
"""A play begins within this much of the instant for which it was planned: what yields waits a minute or so."""
PLANNED_AHEAD = timedelta(hours=26)
"""A plan reaches so far. A play of which a speaker tells before its time, since our clock or its own had been stepped,
is found there: that a rule knows its id proves the instant."""
LONGEST_AWAY = timedelta(days=3)
"""A receipt that gives no instant is about one of the last three days: no plan reaches further."""


class Written(NamedTuple):
    """How many rows were written, and the events without a new one: they have it already, or their device is gone."""

    number: int
    not_these: frozenset[UUID]


def insert(plays: Sequence[ports.PlannedPlay], *, now: datetime, reason: str = "") -> Written:
    """Writes the rows that are not there yet.

    They are `pending`, or with a `reason` of the ledger (`missed`, `quiet_hours`, …) `failed` from the beginning; that
    is then the first entry of their history. A row that exists, whatever its state, stays as it is. A device that is
    gone has no more rows; an announcement or a floor that is gone leaves its reference empty. Needs a transaction.
    """
    events = [event for play in plays for event in play.events]
    if not events:
        return Written(0, frozenset())
    status = ledger.FAILED if reason else ledger.PENDING
    ended = now if reason else None
    common, values = _common(plays)
    own, more = given(
        "g",
        {
            "id": ("uuid", [event.event_id for event in events]),
            "play": ("bigint", [number for number, play in enumerate(plays) for _ in play.events]),
            "device_id": ("bigint", [event.device_pk for event in events]),
            "volume": ("smallint", [event.volume for event in events]),
        },
    )
    statement = _INSERT.format(
        plays=common,
        events=own,
        announcements=joined("LEFT JOIN", "announcements", "a", "g.announcement_id"),
        floors=joined("LEFT JOIN", "floors", "f", "g.floor_id"),
        devices=joined("JOIN", "devices", "d", "e.device_id"),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [*values, *more, status, reason, ledger.REASONS[reason], _instant(ended), _instant(now)],
        )
        written = _written(cursor.fetchall(), events)
    tell_plays_at(
        {
            (play.client_pk, play.floor_pk)
            for play in plays
            if not written.not_these.issuperset(event.event_id for event in play.events)
        }
    )
    if reason:
        _end(plays, written, now=now, reason=reason)
    return written


def _common(plays: Sequence[ports.PlannedPlay]) -> tuple[str, list[Any]]:
    """What all events of a play have in common, each play once."""
    return given(
        "g",
        {
            "number": ("bigint", list(range(len(plays)))),
            "play_id": ("uuid", [play.play_id for play in plays]),
            "floor_id": ("bigint", [play.floor_pk for play in plays]),
            "announcement_id": ("bigint", [play.announcement_pk for play in plays]),
            "priority": ("text", [play.priority for play in plays]),
            "play_at": ("timestamptz", [clock.from_us(play.play_at) for play in plays]),
            "expires_at": ("timestamptz", [clock.from_us(play.expires_at) for play in plays]),
            "duck_db": ("float8", [play.duck_db for play in plays]),
            "late": ("text", [play.late for play in plays]),
        },
    )


def _end(plays: Sequence[ports.PlannedPlay], written: Written, *, now: datetime, reason: str) -> None:
    """The first entry in the history of what was not to be heard from the beginning; counted, and told if it alarms."""
    made = [
        (play.priority, event.event_id)
        for play in plays
        for event in play.events
        if event.event_id not in written.not_these
    ]
    table, values = given("made", {"id": ("uuid", [event_id for _, event_id in made])})
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER.format(given=table), [_instant(now), ledger.FAILED, reason, *values])
    for priority, number in Counter(priority for priority, _ in made).items():
        counting.note_ended(status=ledger.FAILED, reason=reason, priority=priority, number=number)
    if reason in ALARMING:
        rows = PlayEvent._base_manager.filter(pk__in=[event_id for _, event_id in made])
        tell_failed(rows.order_by("play_at"), now=now)


_INSERT = """
WITH p AS MATERIALIZED (
    SELECT
        g.*, a.id AS words_id, COALESCE(a.title, '') AS words, f.id AS place_id, COALESCE(f.name, '') AS place
    FROM {plays} {announcements} {floors}
), e AS MATERIALIZED (SELECT * FROM {events})
INSERT INTO play_events (
    id, play_id, announcement_id, announcement_title, device_id, device_name, client_id, floor_id, floor_name,
    event_type, priority, status, reason, error_message, completed_at, created_at, play_at, expires_at, volume,
    duck_db, late, waits_for_device, override_quiet_hours, outcome
)
SELECT
    e.id, p.play_id, p.words_id, p.words, d.id, d.name, d.client_id, p.place_id, p.place,
    'scheduled', p.priority, %s, %s, %s, %s, %s, p.play_at, p.expires_at, e.volume,
    p.duck_db, p.late, false, false, ''
FROM e JOIN p ON p.number = e.play {devices}
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


def _written(rows: Sequence[tuple[str]], events: Sequence[ports.PlannedEvent]) -> Written:
    """By the keys that the database hands out. As a rule all are new, and need not be read: that takes its time."""
    if len(rows) == len(events):
        return Written(len(rows), frozenset())
    return Written(
        len(rows), frozenset({event.event_id for event in events} - {UUID(key) for (key,) in rows})
    )


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
    for near in (believed(due, arrived, ahead=PLANNED_AHEAD), believed(message.started_at, arrived)):
        if near is not None:
            return near - around, near + around
    return clock.to_us(arrived - LONGEST_AWAY), clock.to_us(arrived) + around


def insert_asked(questions: Sequence[ports.Question], *, now: datetime) -> Written:
    """Asks every app that plans for these plays, and writes those it knows."""
    asked = {(question.device_pk, event_id) for question in questions for event_id in question.event_ids}
    found: list[ports.PlannedPlay] = []
    for planner in ports.planners():
        for play in planner.planned(questions):
            known = [event for event in play.events if (event.device_pk, event.event_id) in asked]
            asked.difference_update((event.device_pk, event.event_id) for event in known)
            found.append(replace(play, events=known))
    return insert(found, now=now)
