"""Reads about schedules, and their rows as the engine's values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import Prefetch, Q, QuerySet

from announcements.models import Announcement
from clients.models import Client
from common import clock
from devices.desired import effective_volume
from devices.models import Device
from schedules.domain import (
    Candidate,
    DateRange,
    FloorRules,
    Occurrence,
    ScheduleRule,
    floor_occurrences,
    interval_rule,
    next_instant,
    occurrences,
    timeline_rule,
)
from schedules.models import (
    FloorStop,
    Schedule,
    ScheduleAnnouncement,
    ScheduleDevice,
    ScheduleException,
    ScheduleFloor,
)
from zones.domain import FOREVER, Span, Stop, load_zone, quiet_hours
from zones.domain.wallclock import MINUTE_US
from zones.models import Floor

HEARD_ON = (
    "client_id",
    "timezone",
    "quiet_hours_start",
    "quiet_hours_end",
    "min_volume",
    "max_volume",
)
"""The columns of a floor that decide what is heard there."""
SEED = "sync2gear"
"""Of all choices; what differs between schedules is the schedule."""


# --- lists -----------------------------------------------------------------------------------------------


def with_parts(schedules: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Each schedule with its announcements, exceptions, and the devices and floors that the caller may see."""
    entries = ScheduleAnnouncement.objects.select_related("announcement")
    return schedules.select_related("created_by").prefetch_related(
        Prefetch("schedule_announcements", queryset=entries),
        Prefetch("exceptions", queryset=ScheduleException.objects.all()),
        Prefetch("devices", queryset=Device.objects.order_by("pk")),
        Prefetch("floors", queryset=Floor.objects.order_by("pk")),
    )


def heard_on(*, floors: Iterable[int] = (), devices: Iterable[int] = ()) -> QuerySet[Schedule]:
    """The schedules, switched on or off, that fire on one of these floors or devices, each once."""
    floors, devices = set(floors), set(devices)
    return Schedule.objects.filter(
        Q(pk__in=ScheduleFloor.objects.filter(floor_id__in=floors).values("schedule_id"))
        | Q(
            pk__in=ScheduleDevice.objects.filter(
                Q(device_id__in=devices) | Q(device__floor_id__in=floors)
            ).values("schedule_id")
        )
    )


def of_device(device: Device) -> QuerySet[Schedule]:
    """The schedules, switched on or off, that fire on this device: by its name, or by its floor's."""
    return Schedule.objects.filter(
        Q(pk__in=ScheduleDevice.objects.filter(device=device).values("schedule_id"))
        | Q(pk__in=ScheduleFloor.objects.filter(floor__devices=device).values("schedule_id"))
    )


def stamps_heard(device: Device) -> tuple[dict[int, int], frozenset[int]]:
    """The stamps of the schedules that are on and heard at the device's place, and which fire on the device itself."""
    named = ScheduleDevice.objects.filter(schedule__enabled=True).order_by()
    if device.floor_id is None:
        stamps = dict(named.filter(device=device).values_list("schedule_id", "schedule__stamp"))
        return stamps, frozenset(stamps)
    there = ScheduleFloor.objects.filter(schedule__enabled=True, floor=device.floor_id).order_by()
    stamps = dict(there.values_list("schedule_id", "schedule__stamp"))
    mine = set(stamps)
    beside = named.filter(device__floor=device.floor_id)
    for pk, stamp, device_pk in beside.values_list("schedule_id", "schedule__stamp", "device_id"):
        stamps[pk] = stamp
        if device_pk == device.pk:
            mine.add(pk)
    return stamps, frozenset(mine)


# --- the engine's values ---------------------------------------------------------------------------------


def rules_of(schedules: Sequence[Schedule]) -> dict[int, ScheduleRule]:
    """The rules of these schedules by their keys. Three queries, whatever their number.

    An announcement that is switched off or has no sound yet is no candidate; a second outside the cycle never comes.
    """
    if not schedules:
        return {}
    pks = [schedule.pk for schedule in schedules]
    rows = ScheduleAnnouncement.objects.filter(schedule_id__among=pks)
    named = list(rows.values_list("schedule_id", "timestamp_seconds", "announcement_id"))
    candidates = _candidates({announcement_pk for *_, announcement_pk in named})
    entries: dict[int, list[tuple[int | None, Candidate]]] = defaultdict(list)
    for schedule_pk, second, announcement_pk in named:
        if announcement_pk in candidates:
            entries[schedule_pk].append((second, candidates[announcement_pk]))
    exceptions: dict[int, list[DateRange]] = defaultdict(list)
    days = ScheduleException.objects.filter(schedule_id__among=pks)
    for schedule_pk, first, last in days.values_list("schedule_id", "first_date", "last_date"):
        exceptions[schedule_pk].append(DateRange(first, last))
    return {
        schedule.pk: rule_of(schedule, entries[schedule.pk], exceptions[schedule.pk])
        for schedule in schedules
    }


def _candidates(announcement_pks: Collection[int]) -> dict[int, Candidate]:
    """Read by their keys: joined to what names them, PostgreSQL would go through all announcements there are."""
    rows = Announcement._base_manager.filter(pk__among=announcement_pks)
    return {
        pk: Candidate(
            id=str(pk),
            enabled=bool(enabled and file and duration_ms),
            valid_from=None if valid_from is None else clock.to_us(valid_from),
            valid_until=None if valid_until is None else clock.to_us(valid_until),
        )
        for pk, enabled, file, duration_ms, valid_from, valid_until in rows.values_list(
            "pk", "enabled", "audio_file", "duration_ms", "valid_from", "valid_until"
        )
    }


def rule_of(
    schedule: Schedule,
    entries: Iterable[tuple[int | None, Candidate]],
    exceptions: Iterable[DateRange],
) -> ScheduleRule:
    """A schedule with its announcements (second of the cycle, candidate) and exceptions as the engine sees it."""
    common = {
        "active_days": schedule.active_days,
        "exceptions": tuple(exceptions),
        "quiet": quiet_hours(schedule.quiet_hours_start, schedule.quiet_hours_end),
        "avoid_repeat": schedule.avoid_repeat,
        "enabled": schedule.enabled,
    }
    if schedule.schedule_type == Schedule.Type.INTERVAL:
        return interval_rule(
            str(schedule.pk), schedule.interval_minutes or 0, (each for _, each in entries), **common
        )
    minutes = schedule.cycle_duration_minutes or 0
    marks = [(second, each) for second, each in entries if second is not None and 0 <= second < minutes * 60]
    return timeline_rule(str(schedule.pk), minutes, marks, **common)


# --- where schedules are heard ---------------------------------------------------------------------------


class Place(NamedTuple):
    """Where announcements are heard together: a floor, or one device that hangs on none."""

    floor_pk: int | None
    device_pk: int | None = None

    @classmethod
    def of(cls, device: Device) -> Place:
        """Where this device is heard."""
        return cls(device.floor_id) if device.floor_id is not None else cls(None, device.pk)


class Speaker(NamedTuple):
    """A device as the scheduler needs it, thousands at a time; `volume` 0–100 within its floor's bounds."""

    pk: int
    volume: int

    @classmethod
    def of(cls, device: Device) -> Speaker:
        """This device, which comes with its floor."""
        return cls(device.pk, effective_volume(device))


@dataclass(slots=True)
class Audience:
    """Rules, the places where they are heard, and what these lay over them.

    `rules` by schedule; `clients` (keys) and IANA `zones` of the places; `devices` those of each place by schedule
    (none, while a floor has none).
    """

    rules: dict[int, ScheduleRule]
    floors: dict[Place, FloorRules] = field(default_factory=dict)
    clients: dict[Place, int] = field(default_factory=dict)
    zones: dict[Place, str] = field(default_factory=dict)
    devices: dict[Place, dict[int, list[Speaker]]] = field(default_factory=dict)
    places: dict[int, list[Place]] = field(default_factory=lambda: defaultdict(list))

    def add(self, schedule_pk: int, place: Place, speakers: Iterable[Speaker] = ()) -> None:
        """The schedule is heard at this place, on these speakers besides those that it has there."""
        heard = self.devices.setdefault(place, {})
        if schedule_pk not in heard:
            heard[schedule_pk] = []
            self.places[schedule_pk].append(place)
        heard[schedule_pk] += speakers

    def occurrences(self, place: Place, windows: Mapping[int, tuple[int, int]]) -> list[Occurrence]:
        """What these schedules have at a place, each in its own window [start, end), µs UTC.

        With a least gap all schedules of the place are judged together.
        """
        here = {pk: windows[pk] for pk in self.devices[place] if pk in windows}
        if not here:
            return []
        over = self.floors[place]
        if not over.least_gap_us:
            return [
                each
                for pk, (start, end) in here.items()
                for each in occurrences(self.rules[pk], over.zone, SEED, start, end, over)
            ]
        first, last = min(start for start, _ in here.values()), max(end for _, end in here.values())
        together = [self.rules[pk] for pk in self.devices[place] if self.rules[pk].enabled]
        return [
            each
            for each in floor_occurrences(together, over, SEED, first, last)
            if (window := here.get(int(each.schedule_id))) and window[0] <= each.at < window[1]
        ]

    def next_instant(self, schedule_pk: int, after: int) -> int | None:
        """The first instant later than `after` (µs UTC) at which the schedule has an occurrence anywhere."""
        rule = self.rules[schedule_pk]
        zones = {self.zones[place]: self.floors[place].zone for place in self.places[schedule_pk]}
        found = (next_instant(rule, zone, after) for zone in zones.values())
        return min((at for at in found if at is not None), default=None)


class Draft(NamedTuple):
    """What stands in place of a schedule's rows: its rule, and the devices and floors that it would fire on."""

    rule: ScheduleRule
    devices: Sequence[int]
    floors: Sequence[int]


def audience_of(
    schedules: Sequence[Schedule],
    *,
    now: datetime,
    drafts: Mapping[int, Draft] | None = None,
    at: Place | None = None,
) -> Audience:
    """These schedules where they are heard; where a least gap holds, with all others that are heard there.

    Their clients are loaded. A constant number of queries. Needs a scope that sees their devices. `drafts` are what
    some of them, by key, would be. With `at` only that place is looked at; `schedules` are all that are heard there.
    """
    drafts = drafts or {}
    named, floors = _targets(schedules, drafts, at)
    spaced = {schedule.client_id for schedule in schedules if schedule.client.announcement_gap_minutes}
    if spaced and at is None:
        there = {schedule.pk for schedule in schedules}
        on = {floor_pk for pks in floors.values() for floor_pk in pks}
        on |= {device.floor_id for devices in named.values() for device in devices if device.floor_id}
        alone = {device.pk for devices in named.values() for device in devices if device.floor_id is None}
        more = heard_on(floors=on, devices=alone).filter(client_id__in=spaced, enabled=True)
        neighbours = list(more.exclude(pk__in=there).select_related("client"))
        if neighbours:
            schedules = [*schedules, *neighbours]
            named, floors = _targets(schedules, drafts, at)
    audience = Audience(rules_of(schedules) | {pk: draft.rule for pk, draft in drafts.items()})
    clients = {schedule.client_id: schedule.client for schedule in schedules}
    rows = _floors({floor_pk for pks in floors.values() for floor_pk in pks}, clients)
    hanging: dict[int, list[Speaker]] = defaultdict(list)
    devices = Device.objects.filter(floor_id__among=rows, revoked_at=None).order_by("pk")
    for pk, floor_pk, volume in devices.values_list("pk", "floor_id", "volume"):
        hanging[floor_pk].append(Speaker(pk, rows[floor_pk].bounded(volume)))
    spoken: dict[Place, Floor | Device] = {}
    for schedule in schedules:
        for floor_pk in filter(rows.__contains__, floors[schedule.pk]):
            place = Place(floor_pk)
            spoken[place] = rows[floor_pk]
            audience.add(schedule.pk, place, hanging[floor_pk])
        for device in named[schedule.pk]:
            place = Place.of(device)
            spoken.setdefault(place, device.floor or device)
            audience.add(schedule.pk, place)
            if device.pk not in {each.pk for each in audience.devices[place][schedule.pk]}:
                audience.add(schedule.pk, place, [Speaker.of(device)])
    stops = stops_of([place.floor_pk for place in spoken if place.floor_pk is not None])
    for place, row in spoken.items():
        audience.clients[place] = row.client_id
        audience.zones[place] = row.zone if isinstance(row, Floor) else row.client.timezone
        audience.floors[place] = laid_over(row, stops.get(place.floor_pk or 0, ()), now=now)
    return audience


def _targets(
    schedules: Sequence[Schedule], drafts: Mapping[int, Draft], at: Place | None
) -> tuple[dict[int, list[Device]], dict[int, list[int]]]:
    """The devices named by each schedule, and the floors; with `at` those of that place alone."""
    pks = [schedule.pk for schedule in schedules if schedule.pk not in drafts]
    named: dict[int, list[Device]] = defaultdict(list)
    rows = ScheduleDevice.objects.filter(schedule_id__among=pks, device__revoked_at=None)
    rows = rows.order_by("device_id")
    on = ScheduleFloor.objects.filter(schedule_id__among=pks).order_by("floor_id")
    if at is not None:
        on = on.filter(floor=at.floor_pk)
        rows = rows.filter(device__floor=at.floor_pk) if at.floor_pk else rows.filter(device=at.device_pk)
    pairs = list(rows.values_list("schedule_id", "device_id"))  # most often none: then nothing is joined
    devices = Device.objects.select_related("floor__client", "client").in_bulk({pk for _, pk in pairs})
    for schedule_pk, device_pk in pairs:
        named[schedule_pk].append(devices[device_pk])
    floors: dict[int, list[int]] = defaultdict(list)
    for schedule_pk, floor_pk in on.values_list("schedule_id", "floor_id"):
        floors[schedule_pk].append(floor_pk)
    for schedule_pk, draft in drafts.items():
        there = Device.objects.filter(pk__in=draft.devices, revoked_at=None).order_by("pk")
        named[schedule_pk] = list(there.select_related("floor__client", "client"))
        floors[schedule_pk] = list(draft.floors)
    return named, floors


def _floors(pks: Collection[int], clients: Mapping[int, Client]) -> dict[int, Floor]:
    """These floors with their clients, who are those of the schedules heard there."""
    floors = {floor.pk: floor for floor in Floor.objects.filter(pk__among=pks).order_by().only(*HEARD_ON)}
    for floor in floors.values():
        floor.client = clients[floor.client_id]
    return floors


def stops_of(floors: Iterable[int]) -> dict[int, list[Stop]]:
    """All stops of these floors, past ones too."""
    found: dict[int, list[Stop]] = defaultdict(list)
    rows = FloorStop.objects.filter(floor_id__among=set(floors)).order_by("starts_at")
    for floor_pk, starts_at, until in rows.values_list("floor_id", "starts_at", "until"):
        end = None if until is None else clock.to_us(until)
        found[floor_pk].append(Stop(clock.to_us(starts_at), end))
    return found


class StoppedFloors:
    """`events.ports.FloorStops` over the stops."""

    def stopped(self, floor_pks: Collection[int], at: datetime) -> dict[int, datetime | None]:
        """Which of these floors are stopped at that instant, and until when."""
        rows = FloorStop.objects.filter(floor_id__in=floor_pks, starts_at__lte=at)
        rows = rows.filter(Q(until=None) | Q(until__gt=at))
        return dict(rows.values_list("floor_id", "until"))


def laid_over(row: Floor | Device, stops: Iterable[Stop] = (), *, now: datetime) -> FloorRules:
    """What a floor, or a device without one, lays over the schedules heard there."""
    client = row.client
    gap = client.announcement_gap_minutes * MINUTE_US
    if isinstance(row, Device):
        return FloorRules(load_zone(client.timezone), locked=locked_spans(client, now), least_gap_us=gap)
    return FloorRules(
        zone=load_zone(row.zone),
        quiet=quiet_hours(row.quiet_hours_start, row.quiet_hours_end),
        stops=tuple(stops),
        locked=locked_spans(client, now),
        least_gap_us=gap,
    )


def locked_spans(client: Client, now: datetime) -> tuple[Span, ...]:
    """From when on the business may not play, as it stands `now`: at once, when its trial ends, or never."""
    if client.lock(now) is not None:
        return (Span(clock.to_us(now), FOREVER),)
    ends_at = client.trial_ends_at
    if ends_at is not None and client.lock(ends_at) is not None:
        return (Span(clock.to_us(ends_at), FOREVER),)
    return ()
