"""What a floor sounds in a window: its programme, the announcements over it, its silences, and who yields to whom.

What has begun or ended is told by the ledger. What is to come is computed as the speakers compute it: each
announcement claims the device, and `schedules.domain.resolve` says who sounds when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from announcements.models import Announcement
from common import clock
from devices.models import Device
from devices.plan import Segment, Silence
from events.domain import ledger
from events.models import PlayEvent
from plans.basis import ORDERED_AHEAD
from plans.programme import programme_of_floor
from playlists.content import sound_of
from playlists.domain import Kind, programme_play_id
from playlists.selectors import segments_of
from schedules.domain import Claim, Priority, Reason, occurrence_play_id, resolve
from schedules.locks import locked_before
from schedules.models import Schedule, ScheduleOccurrence
from schedules.selectors import Place, audience_of, heard_on, laid_over, stops_of
from zones.domain import Span, clip, quiet_spans, stop_spans
from zones.domain.wallclock import MINUTE_US
from zones.models import Floor

PLAYLIST_WAITS_US = MINUTE_US
SUPPRESSED = frozenset(str(reason) for reason in Reason)
MS = 1000
NOBODY = (0,)
"""Stands for the devices of a floor that has none, so that its timeline tells who yields there too."""


@dataclass(frozen=True, slots=True)
class Item:
    """An announcement at an instant on some devices of the floor. Instants and lengths µs.

    `outcome`: `plays`, `suppressed` or `dropped` (to come), `sounding`, `completed` or `failed` (by the ledger).
    `by` names the play that stood in its way. An item that waits for another `starts_at` later than `at`.
    """

    play_id: UUID
    priority: str
    at: int
    expires_at: int
    announcement: int | None
    title: str
    duration_us: int
    schedule: int | None
    outcome: str
    reason: str = ""
    starts_at: int | None = None
    ends_at: int | None = None
    by: UUID | None = None
    devices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a floor sounds in a window."""

    segments: list[Segment]
    items: list[Item]
    silences: list[Silence]
    schedules: dict[int, str] = field(default_factory=dict)
    """The names of the schedules that the items name."""


def timeline_of(floor: Floor, start: datetime, end: datetime, *, now: datetime) -> Timeline:
    """The timeline of this floor (with its client) in [start, end). Needs the caller's scope."""
    first, last = clock.to_us(start), clock.to_us(end)
    devices = list(Device.objects.filter(floor=floor, revoked_at=None).order_by("pk"))
    told = list(_on_record(floor, start, end))
    recorded = {item.play_id for item in told}
    coming = [
        *_scheduled(floor, first, last, recorded, now),
        *_in_programme(floor, devices, first, last, now),
    ]
    there = [item for item in coming if item.play_id not in recorded]
    items = resolved([*told, *_with_sounds(there)], clock.to_us(now))
    named = {item.schedule for item in items if item.schedule is not None}
    return Timeline(
        segments=programme_of_floor(floor.pk, first, last),
        items=items,
        silences=silences_of(floor, first, last, now=now),
        schedules=dict(Schedule.objects.filter(pk__in=named).values_list("pk", "name")),
    )


def silences_of(floor: Floor, start: int, end: int, *, now: datetime) -> list[Silence]:
    """When and why the floor is silent in [start, end), in order of start; they may overlap."""
    over = laid_over(floor, stops_of([floor.pk]).get(floor.pk, []), now=now)
    groups: tuple[tuple[str, Iterable[Span]], ...] = (
        ("quiet_hours", quiet_spans(over.quiet, over.zone, start, end)),
        ("stopped", stop_spans(over.stops, start, end)),
        ("client_locked", clip((*locked_before(floor.client_id, now), *over.locked), start, end)),
    )
    found = [
        Silence(start_at=span.start, end_at=span.end, reason=reason)  # type: ignore[arg-type]  # of that table
        for reason, spans in groups
        for span in spans
    ]
    return sorted(found, key=lambda silence: (silence.start_at, silence.reason))


# --- what there is ---------------------------------------------------------------------------------------


def _on_record(floor: Floor, start: datetime, end: datetime) -> Iterator[Item]:
    """The floor's events, those of one play and one fate together; what has not begun still has to `play`."""
    rows = PlayEvent.objects.filter(
        client_id=floor.client_id,
        floor=floor,
        play_at__gte=start,
        play_at__lt=end,
        created_at__gte=start - ORDERED_AHEAD,
    ).select_related("announcement")
    groups: dict[tuple[UUID, str, str], list[PlayEvent]] = defaultdict(list)
    for event in rows.order_by("play_at", "device_id"):
        groups[event.play_id, _outcome(event), event.reason].append(event)
    of = dict(
        ScheduleOccurrence.objects.filter(play_id__in={key[0] for key in groups}).values_list(
            "play_id", "schedule_id"
        )
    )
    for (play_id, outcome, reason), events in groups.items():
        one = events[0]
        started = [event.started_at for event in events if event.started_at is not None]
        yield Item(
            play_id=play_id,
            priority=one.priority,
            at=clock.to_us(one.play_at),
            # An order may have been given to start when it expires; it claims its very instant.
            expires_at=max(clock.to_us(one.expires_at), clock.to_us(one.play_at) + 1),
            announcement=one.announcement_id,
            title=one.announcement_title,
            duration_us=one.announcement.duration_ms * MS if one.announcement else 0,
            schedule=of.get(play_id),
            outcome=outcome,
            reason=reason,
            starts_at=clock.to_us(min(started)) if started else None,
            devices=tuple(event.device_id for event in events if event.device_id is not None),
        )


def _outcome(event: PlayEvent) -> str:
    if event.status in {ledger.PENDING, ledger.DELIVERED}:
        return "plays"
    if event.status == ledger.PLAYING:
        return "sounding"
    if event.status == ledger.FAILED and event.reason in SUPPRESSED and not event.outcome:
        return "suppressed"
    return str(event.status)


def _scheduled(floor: Floor, start: int, end: int, recorded: Iterable[UUID], now: datetime) -> Iterator[Item]:
    """What schedules have that is not on the record yet."""
    schedules = list(heard_on(floors=[floor.pk]).filter(enabled=True).select_related("client"))
    audience, place, known = audience_of(schedules, now=now), Place(floor.pk), frozenset(recorded)
    if place not in audience.devices:
        return
    windows = {}
    for schedule in schedules:
        boundary = clock.to_us(min(schedule.planned_until or now, now))
        windows[schedule.pk] = (max(start, boundary), max(end, boundary))
    for each in audience.occurrences(place, windows):
        play_id = occurrence_play_id(each.schedule_id, each.at)
        if play_id not in known:
            yield Item(
                play_id=play_id,
                priority=each.priority.name.lower(),
                at=each.at,
                expires_at=each.expires_at,
                announcement=None if each.announcement_id is None else int(each.announcement_id),
                title="",
                duration_us=0,
                schedule=int(each.schedule_id),
                outcome="plays" if each.due else "suppressed",
                reason=each.reason or "",
                devices=tuple(device.pk for device in audience.devices[place][int(each.schedule_id)]),
            )


def _in_programme(
    floor: Floor, devices: Sequence[Device], start: int, end: int, now: datetime
) -> Iterator[Item]:
    """The announcements of the programme that have not begun."""
    for segment in segments_of(floor.pk, start, end):
        if segment.kind is Kind.ANNOUNCEMENT and start <= segment.start and clock.to_us(now) <= segment.start:
            yield Item(
                play_id=programme_play_id(segment.playlist_id, str(floor.pk), segment.start),
                priority=ledger.PLAYLIST,
                at=segment.start,
                expires_at=segment.start + PLAYLIST_WAITS_US,
                announcement=sound_of(segment).pk,
                title="",
                duration_us=0,
                schedule=None,
                outcome="plays",
                devices=tuple(device.pk for device in devices),
            )


def _with_sounds(items: Sequence[Item]) -> Iterator[Item]:
    pks = {item.announcement for item in items if item.announcement is not None}
    rows = {
        pk: (title, duration_ms * MS)
        for pk, title, duration_ms in Announcement.objects.filter(pk__in=pks).values_list(
            "pk", "title", "duration_ms"
        )
    }
    for item in items:
        title, duration_us = rows.get(item.announcement or 0, ("", 0))
        yield replace(item, title=title, duration_us=duration_us)


# --- who yields to whom ----------------------------------------------------------------------------------


class _Fate(NamedTuple):
    """What comes of an item on one device."""

    starts_at: int | None
    ends_at: int | None
    reason: str
    by: UUID | None


def resolved(items: Iterable[Item], now: int) -> list[Item]:
    """The items in order, those to come with what becomes of them where they meet; one for each fate.

    Devices that hear the same are resolved once. Announcements that cannot meet are resolved apart from each
    other, since placing them costs the square of their number.
    """
    given = list(items)
    claimed: dict[int, list[int]] = defaultdict(list)
    for number, item in enumerate(given):
        if item.outcome in {"plays", "sounding"} and item.duration_us > 0:
            for device in item.devices or NOBODY:
                claimed[device].append(number)
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for device, wanted in claimed.items():
        alike[tuple(wanted)].append(device)
    fates: dict[int, dict[_Fate, list[int]]] = defaultdict(lambda: defaultdict(list))
    for numbers, devices in alike.items():
        for cluster in _clusters([(number, given[number]) for number in numbers]):
            for number, fate in _fates(cluster, now).items():
                fates[number][fate] += devices
    found: list[Item] = []
    for number, item in enumerate(given):
        if number not in fates or item.outcome == "sounding":
            found.append(item)
            continue
        for fate, heard in fates[number].items():
            lost = fate.starts_at is None
            found.append(
                replace(
                    item,
                    outcome="dropped" if lost else item.outcome,
                    reason=fate.reason,
                    starts_at=fate.starts_at,
                    ends_at=fate.ends_at,
                    by=fate.by,
                    devices=tuple(sorted(device for device in heard if device)),
                )
            )
    return sorted(found, key=lambda item: (item.at, item.priority, str(item.play_id), item.devices))


def _clusters(numbered: Iterable[tuple[int, Item]]) -> Iterator[list[tuple[int, Item]]]:
    """The items cut where none can reach into the next: a play ends before its expiry and its length are over."""
    cluster: list[tuple[int, Item]] = []
    reach = 0
    for number, item in sorted(numbered, key=lambda each: each[1].at):
        if cluster and item.at >= reach:
            yield cluster
            cluster = []
        cluster.append((number, item))
        reach = max(reach, max(item.expires_at, item.starts_at or 0) + item.duration_us)
    if cluster:
        yield cluster


def _fates(cluster: Sequence[tuple[int, Item]], now: int) -> dict[int, _Fate]:
    claims = [
        Claim(
            event_id=str(number),
            priority=Priority[item.priority.upper()],
            at=item.at,
            duration_us=item.duration_us,
            expires_at=item.expires_at,
        )
        for number, item in cluster
    ]
    play_ids = {str(number): item.play_id for number, item in cluster}
    # As seen before any of them: what is to come is placed by its due time, not by when somebody asks.
    resolution = resolve(claims, min(now, *(claim.at for claim in claims)))
    fates = {
        int(play.event_id): _Fate(
            play.start, play.end, "", None if play.cut_by is None else play_ids[play.cut_by]
        )
        for play in resolution.plays
    }
    for loser in resolution.losers:
        if int(loser.event_id) not in fates:
            by = None if loser.by is None else play_ids[loser.by]
            fates[int(loser.event_id)] = _Fate(None, None, str(loser.reason), by)
    return fates
