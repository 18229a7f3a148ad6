"""The scheduler: what is due soon becomes a row of the ledger for each device, and is pushed.

The tick looks AHEAD, so that a device has the order before its instant. Each schedule names the instant of its next
occurrence in an indexed column, so only those that have something to do are read. What is suppressed is on the record
too, with its reason. Several ticks at once, and one that died half-way, do no harm: rows have derived ids, and what
is pending is sent again by `events.delivery`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from common import clock
from common.tenancy import system_scope
from devices import bus
from devices.hub import Plays, Target
from devices.models import Device
from devices.services import announce_plan
from events import planned
from events.domain import ledger
from events.messages import order_of
from events.models import PlayEvent
from events.ports import PlannedPlay, Question
from schedules.models import Schedule, ScheduleOccurrence
from schedules.overruling import overrule
from schedules.plays import Fate, fates_of, plays_of
from schedules.selectors import Audience, Place, audience_of, of_device

AHEAD = timedelta(seconds=90)
"""Rows are written, and orders pushed, this long before their instant."""
RECORDED_FOR = timedelta(days=7)
"""After a longer outage only what was missed in its last week is written down."""
STEP = timedelta(hours=6)
"""How much of what was missed is written down in one transaction."""
LOCKED_LOOK = timedelta(minutes=10)
"""How often a locked business is looked at again; it is marked besides when it changes."""
AT_ONCE = 500
"""Schedules of one transaction."""

# --- the tick --------------------------------------------------------------------------------------------


def plan_ahead(*, now: datetime, only: int | None = None) -> int:
    """Puts on the record what is due within AHEAD, of all schedules or `only` of one; returns how many rows.

    An occurrence that the scheduler comes too late for is `missed`, unless it has a row; the receipt of a device
    that played it from its plan corrects that.
    """
    with system_scope("every client's schedules fire"):
        written = 0
        while True:
            rows, more = _turn(now, only)
            written += rows
            if not more:
                return written


@transaction.atomic
def _turn(now: datetime, only: int | None) -> tuple[int, bool]:
    """One transaction: how many rows were written, and whether there may be more to do."""
    due = Schedule.objects.select_for_update(of=("self",), skip_locked=True).filter(
        planned_until__lt=now + AHEAD
    )
    due = due.filter(pk=only) if only is not None else due
    claimed = list(due.select_related("client").order_by("planned_until")[:AT_ONCE])
    locked = [schedule for schedule in claimed if schedule.client.lock(now) is not None]
    open_ = [schedule for schedule in claimed if schedule not in locked]
    audience = audience_of(open_, now=now)
    windows = {schedule.pk: _window(schedule, now) for schedule in open_ if schedule.enabled}
    fates = fates_of(audience, windows)
    changed = [schedule for schedule in claimed if schedule.stale]
    if changed:
        overrule(changed, fates, now=now)
        announce_plan(devices=_devices(audience, changed))
    written = _record([fate for found in fates.values() for fate in found], now)
    _remember(fates)
    _push([fate.play for found in fates.values() for fate in found if not fate.reason], now)
    for schedule in locked:
        schedule.planned_until, schedule.stale = now + LOCKED_LOOK, False
    for schedule in open_:
        schedule.planned_until, schedule.stale = _next(audience, schedule, windows, now), False
    Schedule.objects.bulk_update(claimed, ["planned_until", "stale"])
    behind = any(each.planned_until is not None and each.planned_until < now + AHEAD for each in claimed)
    return written, behind or len(claimed) == AT_ONCE


def _window(schedule: Schedule, now: datetime) -> tuple[int, int]:
    """What of the schedule is looked at in this turn."""
    start = max(schedule.planned_until or now, now - RECORDED_FOR)
    return clock.to_us(start), clock.to_us(min(now + AHEAD, start + STEP))


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


def _record(fates: Sequence[Fate], now: datetime) -> int:
    """Writes the rows that are not there yet, by what comes of them."""
    now_us = clock.to_us(now)
    by_reason: dict[str, list[PlannedPlay]] = defaultdict(list)
    for play, reason in fates:
        by_reason[reason or ("missed" if play.expires_at <= now_us else "")].append(play)
    return sum(planned.insert(plays, now=now, reason=reason) for reason, plays in by_reason.items())


def _remember(fates: dict[int, list[Fate]]) -> None:
    rows = {
        fate.play.play_id: ScheduleOccurrence(
            play_id=fate.play.play_id, schedule_id=pk, play_at=clock.from_us(fate.play.play_at)
        )
        for pk, found in fates.items()
        for fate in found
    }
    ScheduleOccurrence.objects.bulk_create(rows.values(), ignore_conflicts=True, batch_size=500)


def _push(plays: Sequence[PlannedPlay], now: datetime) -> None:
    """After the commit: what of these is pending, one message for each occurrence."""
    pks = [play.event_id for play in plays if play.expires_at > clock.to_us(now)]
    rows = PlayEvent.objects.filter(pk__in=pks, status=ledger.PENDING).exclude(announcement=None)
    together: dict[tuple[UUID, int | None], list[PlayEvent]] = defaultdict(list)
    for event in rows.select_related("announcement"):
        together[event.play_id, event.announcement_id].append(event)
    for events in together.values():
        announcement: Any = events[0].announcement
        bus.publish_on_commit(
            Plays(
                common=order_of(events[0], announcement, now=now),
                targets=[
                    Target(
                        device=event.device_id or 0,
                        event_id=str(event.pk),
                        volume=event.volume,
                        play_at=clock.to_us(event.play_at),
                        expires_at=clock.to_us(event.expires_at),
                    )
                    for event in events
                ],
            )
        )


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
        for play in plays_of(occurrence, place, [device]):
            if play.event_id in question.event_ids:
                yield play
