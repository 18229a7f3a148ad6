"""What a schedule does in a window: what is on the record, as it became, and what will be, with its reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from announcements.models import Announcement
from common import clock
from events.domain import ledger
from events.models import PlayEvent
from schedules.domain import Reason, occurrence_play_id
from schedules.locks import locked_before
from schedules.models import Schedule, ScheduleOccurrence
from schedules.selectors import audience_of
from zones.domain import from_us, load_zone

MOST = 1000
"""Occurrences of one answer."""
STEP = timedelta(days=1)
SUPPRESSED = frozenset(str(reason) for reason in Reason)
MESSAGES = ledger.REASONS | {"disabled": "The schedule is switched off."}


@dataclass(slots=True)
class Sight:
    """One occurrence where one thing holds for it: one zone, one choice, one reason.

    `reason` says why it is not to be heard, empty if it is due; `by` the schedule that came too near. `plays` are
    its events on the record, which say what became of it on each device.
    """

    at: datetime
    timezone: str
    announcement: int | None
    announcement_title: str
    reason: str
    by: int | None = None
    floors: list[int] = field(default_factory=list)
    devices: list[int] = field(default_factory=list)
    plays: list[PlayEvent] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """`due` or `suppressed`."""
        return "suppressed" if self.reason else "due"

    @property
    def message(self) -> str:
        """The reason as a sentence."""
        return MESSAGES[self.reason]

    @property
    def local_time(self) -> str:
        """The instant on the wall clock of its zone, ISO 8601 with the offset."""
        return from_us(clock.to_us(self.at), load_zone(self.timezone)).isoformat()


def seen(
    schedule: Schedule, start: datetime, end: datetime, *, now: datetime
) -> tuple[list[Sight], datetime | None]:
    """The occurrences in [start, end), in order, and where to ask on when there are more than MOST instants.

    What has its rows in the ledger is told by them, by whatever rule it came about; the rest by the rules as they
    are. `schedule` comes with its client; needs the caller's scope, and tells only of devices in it.
    """
    occurrences = ScheduleOccurrence.objects.filter(
        schedule=schedule, play_at__gte=start, play_at__lt=end
    ).order_by("play_at")
    known = dict(occurrences.values_list("play_id", "play_at")[: MOST + 1])
    found = list(_recorded(schedule, known))
    if len(known) <= MOST:
        boundary = min(schedule.planned_until or now, now)
        for span in locked_before(schedule.client_id, now):
            since, until = clock.from_us(span.start), clock.from_us(span.end)
            found += _coming(schedule, max(start, since), min(end, until, boundary), known, now)
        found += _coming(schedule, max(start, boundary), end, known, now)
    found.sort(key=lambda each: each.at)
    instants = sorted({each.at for each in found})
    if len(instants) <= MOST:
        return found, None
    return [each for each in found if each.at < instants[MOST]], instants[MOST]


def _recorded(schedule: Schedule, known: Iterable[UUID]) -> Iterator[Sight]:
    rows = PlayEvent.objects.filter(play_id__in=list(known)).select_related("floor", "client")
    groups: dict[tuple[UUID, str, int | None, str], list[PlayEvent]] = defaultdict(list)
    for event in rows.order_by("play_at", "device_id"):
        zone = event.floor.timezone if event.floor and event.floor.timezone else schedule.client.timezone
        reason = event.reason if event.reason in SUPPRESSED and not event.outcome else ""
        groups[event.play_id, zone, event.announcement_id, reason].append(event)
    for (_, zone, announcement, reason), events in groups.items():
        yield Sight(
            at=events[0].play_at,
            timezone=zone,
            announcement=announcement,
            announcement_title=events[0].announcement_title,
            reason=reason,
            floors=sorted({event.floor_id for event in events if event.floor_id is not None}),
            devices=sorted(event.device_id for event in events if event.device_id is not None),
            plays=events,
        )


def _coming(
    schedule: Schedule, start: datetime, end: datetime, known: Iterable[UUID], now: datetime
) -> list[Sight]:
    """What the rules say, a day at a time, until there is enough."""
    audience, there = audience_of([schedule], now=now), frozenset(known)
    audience.floors = {
        place: replace(rules, locked=(*locked_before(schedule.client_id, now), *rules.locked))
        for place, rules in audience.floors.items()
    }
    found: dict[tuple[object, ...], Sight] = {}
    instants: set[int] = set()
    while start < end and len(instants) <= MOST:
        window = clock.to_us(start), clock.to_us(min(start + STEP, end))
        for place in audience.places[schedule.pk]:
            for each in audience.occurrences(place, {schedule.pk: window}):
                if occurrence_play_id(each.schedule_id, each.at) in there:
                    continue
                instants.add(each.at)
                zone, reason = audience.zones[place], each.reason or ""
                key = (each.at, zone, each.announcement_id, reason, each.by)
                sight = found.get(key) or Sight(
                    at=clock.from_us(each.at),
                    timezone=zone,
                    announcement=None if each.announcement_id is None else int(each.announcement_id),
                    announcement_title="",
                    reason=reason,
                    by=None if each.by is None else int(each.by),
                )
                found[key] = sight
                sight.floors += [] if place.floor_pk is None else [place.floor_pk]
                sight.devices += [device.pk for device in audience.devices[place][schedule.pk]]
        start += STEP
    chosen = {each.announcement for each in found.values() if each.announcement is not None}
    titles = dict(Announcement.objects.filter(pk__in=chosen).values_list("pk", "title"))
    for sight in found.values():
        sight.announcement_title = titles.get(sight.announcement or 0, "")
    return list(found.values())
