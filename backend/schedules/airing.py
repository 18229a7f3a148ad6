"""The scheduler: what is due soon becomes a row of the ledger for each device, and is pushed.

The tick looks AHEAD, so that a device has the order before its instant. Each schedule names the instant of its next
occurrence in an indexed column, so only those that have something to do are read. What is suppressed is on the record
too, with its reason. Several ticks at once, and one that died half-way, do no harm: rows have derived ids, and what
is pending is sent again by `events.delivery`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Mod
from msgspec.structs import replace

from common import clock
from common.given import given
from common.tenancy import system_scope
from devices import bus
from devices.hub import Plays, Target
from devices.models import Device
from devices.services import announce_plan
from events import planned
from events.domain import ledger
from events.messages import order_of_planned, sounds_of
from events.models import PlayEvent
from events.planned import Written
from events.ports import PlannedEvent, PlannedPlay, Question
from schedules import locks
from schedules.models import Schedule
from schedules.overruling import overrule
from schedules.plays import Fate, fates_of, play_of
from schedules.selectors import Audience, Place, Speaker, audience_of, of_device

AHEAD = timedelta(seconds=90)
"""Rows are written, and orders pushed, this long before their instant."""
RECORDED_FOR = timedelta(days=7)
"""After a longer outage only what was missed in its last week is written down."""
STEP = timedelta(hours=6)
"""How much of what was missed is written down in one transaction."""
AT_ONCE = 200
"""Schedules of one transaction."""
HANDS = 2
"""When more are due, so many turns run beside each other: while the database writes for one, another thinks."""

# --- the tick --------------------------------------------------------------------------------------------


def plan_ahead(*, now: datetime, only: int | None = None) -> int:
    """Puts on the record what is due within AHEAD, of all schedules or `only` of one; returns how many rows.

    An occurrence that the scheduler comes too late for is `missed`, unless it has a row; the receipt of a device
    that played it from its plan corrects that.
    """
    with system_scope("every client's schedules fire"):
        due = Schedule.objects.filter(planned_until__lt=now + AHEAD)
        due = due.filter(pk=only) if only is not None else due
        beside = connection.features.has_select_for_update_skip_locked
        if beside and due[: AT_ONCE + 1].count() > AT_ONCE:
            shares = due.annotate(share=Mod("client_id", HANDS))
            with ThreadPoolExecutor(HANDS) as hands:
                return sum(hands.map(lambda hand: _by_hand(now, shares.filter(share=hand)), range(HANDS)))
        return _all(now, due)


def _by_hand(now: datetime, due: QuerySet[Schedule]) -> int:
    """`_all` in a thread of its own, with a connection of its own. A client's schedules are all in one hand."""
    try:
        with system_scope("every client's schedules fire"):
            return _all(now, due)
    finally:
        connection.close()


def _all(now: datetime, due: QuerySet[Schedule]) -> int:
    """Turn after turn until nothing is due any more; how many rows were written."""
    written = 0
    while True:
        rows, more = _turn(now, due)
        written += rows
        if not more:
            return written


@transaction.atomic
def _turn(now: datetime, due: QuerySet[Schedule]) -> tuple[int, bool]:
    """One transaction: how many rows were written, and whether there may be more to do."""
    free = due.select_for_update(of=("self",), skip_locked=True, no_key=True).select_related("client")
    claimed = list(free.order_by("planned_until")[:AT_ONCE])
    open_: list[Schedule] = []
    locked: list[Schedule] = []
    for schedule in claimed:
        (open_ if schedule.client.lock(now) is None else locked).append(schedule)
    audience = audience_of(open_, now=now)
    windows = {schedule.pk: _window(schedule, now) for schedule in open_ if schedule.enabled}
    fates = fates_of(audience, windows)
    changed = [schedule for schedule in claimed if schedule.stale]
    if changed:
        locks.lift({schedule.client_id for schedule in changed if schedule in open_}, now=now)
        overrule(changed, fates, now=now)
        announce_plan(devices=_devices(audience, changed))
    told = [fate for found in fates.values() for fate in found]
    written = _record(told, now)
    _remember(fates)
    _push([fate.play for fate in told if not fate.reason], written.not_these, now)
    locks.remember(_locked_since(locked), now=now)
    for schedule in locked:
        schedule.planned_until, schedule.stale = now + locks.LOOK, False
    for schedule in open_:
        schedule.planned_until, schedule.stale = _next(audience, schedule, windows, now), False
    _keep(claimed)
    behind = any(each.planned_until is not None and each.planned_until < now + AHEAD for each in claimed)
    return written.number, behind or len(claimed) == AT_ONCE


def _window(schedule: Schedule, now: datetime) -> tuple[int, int]:
    """What of the schedule is looked at in this turn."""
    start = max(schedule.planned_until or now, now - RECORDED_FOR)
    return clock.to_us(start), clock.to_us(min(now + AHEAD, start + STEP))


def _locked_since(schedules: Iterable[Schedule]) -> dict[int, datetime]:
    """By client, the first instant for which nothing was written any more."""
    since: dict[int, datetime] = {}
    for schedule in schedules:
        if schedule.planned_until is not None:
            earlier = since.get(schedule.client_id, schedule.planned_until)
            since[schedule.client_id] = min(earlier, schedule.planned_until)
    return since


def _next(
    audience: Audience, schedule: Schedule, windows: dict[int, tuple[int, int]], now: datetime
) -> datetime | None:
    if schedule.pk not in windows:
        return None
    until = windows[schedule.pk][1]
    coming = audience.next_instant(schedule.pk, until - 1)
    return None if coming is None else clock.from_us(coming)


def _devices(audience: Audience, schedules: Iterable[Schedule]) -> set[int]:
    wanted = {schedule.pk for schedule in schedules}
    return {
        device.pk
        for heard in audience.devices.values()
        for pk, devices in heard.items()
        if pk in wanted
        for device in devices
    }


def _record(fates: Sequence[Fate], now: datetime) -> Written:
    """Writes the rows that are not there yet, by what comes of them."""
    now_us = clock.to_us(now)
    by_reason: dict[str, list[PlannedPlay]] = defaultdict(list)
    for play, reason in fates:
        by_reason[reason or ("missed" if play.expires_at <= now_us else "")].append(play)
    written = [planned.insert(plays, now=now, reason=reason) for reason, plays in by_reason.items()]
    there = frozenset().union(*(each.not_these for each in written))
    return Written(sum(each.number for each in written), there)


def _remember(fates: Mapping[int, Sequence[Fate]]) -> None:
    rows = {fate.play.play_id: (pk, fate.play.play_at) for pk, found in fates.items() for fate in found}
    table, values = given(
        "o",
        {
            "play_id": ("uuid", list(rows)),
            "schedule_id": ("bigint", [pk for pk, _ in rows.values()]),
            "play_at": ("timestamptz", [clock.from_us(at) for _, at in rows.values()]),
        },
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO schedule_occurrences (play_id, schedule_id, play_at)"  # noqa: S608  # our own names
            f" SELECT play_id, schedule_id, play_at FROM {table} WHERE true ON CONFLICT DO NOTHING",
            values,
        )


def _keep(schedules: Sequence[Schedule]) -> None:
    """Saves how far these have been looked at: 1,000 in one short statement, where `bulk_update` has a branch each."""
    table, values = given(
        "n",
        {
            "id": ("bigint", [schedule.pk for schedule in schedules]),
            "planned_until": ("timestamptz", [schedule.planned_until for schedule in schedules]),
        },
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE schedules SET planned_until = n.planned_until, stale = false"  # noqa: S608  # our own names
            f" FROM {table} WHERE schedules.id = n.id",
            values,
        )


def _push(plays: Iterable[PlannedPlay], there: Set[UUID], now: datetime) -> None:
    """After the commit: what of these is pending, one message for each occurrence."""
    now_us = clock.to_us(now)
    together: dict[tuple[UUID, int], list[PlannedPlay]] = defaultdict(list)
    for play in _pending([play for play in plays if play.expires_at > now_us], there):
        if play.announcement_pk is not None:
            together[play.play_id, play.announcement_pk].append(play)
    sounds = sounds_of({announcement_pk for _, announcement_pk in together})
    bus.publish_on_commit(
        *(
            Plays(
                common=order_of_planned(some[0], sounds[announcement_pk], now=now),
                targets=[
                    Target(event.device_pk, str(event.event_id), event.volume, play.play_at, play.expires_at)
                    for play in some
                    for event in play.events
                ],
                ordered_at=now_us,
            )
            for (_, announcement_pk), some in together.items()
            if announcement_pk in sounds
        )
    )


def _pending(plays: Sequence[PlannedPlay], there: Set[UUID]) -> Iterable[PlannedPlay]:
    """Those that have just been written, and of those that were `there` what is not under way yet, as it stands."""
    if not there:
        return plays
    older = [event.event_id for play in plays for event in play.events if event.event_id in there]
    rows = PlayEvent.objects.filter(pk__in=older, status=ledger.PENDING)
    columns = rows.values_list("pk", "announcement_id", "volume")
    known = {pk: (announcement_pk, volume) for pk, announcement_pk, volume in columns}
    return [each for play in plays for each in _as_known(play, there, known)]


def _as_known(
    play: PlannedPlay, there: Set[UUID], known: Mapping[UUID, tuple[int | None, int]]
) -> Iterator[PlannedPlay]:
    """What is new of a play, and what is pending of it, by the words that stand on the record."""
    by_words: dict[int | None, list[PlannedEvent]] = defaultdict(list)
    for event in play.events:
        if event.event_id not in there:
            by_words[play.announcement_pk].append(event)
        elif event.event_id in known:
            announcement_pk, volume = known[event.event_id]
            by_words[announcement_pk].append(replace(event, volume=volume))
    for announcement_pk, events in by_words.items():
        yield replace(play, announcement_pk=announcement_pk, events=events)


# --- afterwards ------------------------------------------------------------------------------------------


class SchedulePlays:
    """`events.ports.PlannedEvents` over the schedules."""

    def planned(self, questions: Sequence[Question]) -> Iterable[PlannedPlay]:
        """The occurrences that these devices had, by the rules as they are now, suppressed ones too.

        A device that was offline did not hear that something was to be suppressed. One that has been moved since
        is looked for where it hangs now.
        """
        keys = [question.device_pk for question in questions]
        devices = Device.objects.select_related("floor", "client").in_bulk(keys)
        for question in questions:
            device = devices.get(question.device_pk)
            if device is not None:
                yield from _asked(question, device)


def _asked(question: Question, device: Device) -> Iterator[PlannedPlay]:
    schedules = list(of_device(device).select_related("client"))
    audience = audience_of(schedules, now=clock.from_us(question.latest))
    place = Place.of(device)
    windows = {
        schedule.pk: (question.earliest, question.latest)
        for schedule in schedules
        if place in audience.devices and schedule.pk in audience.devices[place]
    }
    for occurrence in audience.occurrences(place, windows) if windows else ():
        play = play_of(occurrence, place, device.client_id, [Speaker.of(device)])
        if play.events[0].event_id in question.event_ids:
            yield play
