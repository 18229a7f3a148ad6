"""What will be: when each schedule fires next, and when one would that nobody has saved yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from common import clock
from schedules.domain import Candidate, DateRange, ScheduleRule, next_occurrence
from schedules.models import Schedule
from schedules.preview import MESSAGES, Sight
from schedules.selectors import SEED, Draft, audience_of, rule_of
from schedules.services import Parts
from schedules.validation import columns_fit
from zones.domain import from_us, load_zone

MOST_FORESEEN = 50
"""Instants of a draft that are told."""
HORIZON = timedelta(days=31)
"""How far a draft is looked into."""
STEP = timedelta(days=1)


class Next(NamedTuple):
    """The next time that a schedule is to be heard; all None of one that is off, or never is."""

    schedule: int
    at: datetime | None
    local_time: str | None
    timezone: str | None


def next_of(schedules: Sequence[Schedule], *, now: datetime) -> list[Next]:
    """The next occurrence of each that nothing suppresses, wherever it comes first. Their clients are loaded.

    What a least gap will leave out is not known before it is near, and is told as if it played. A constant number of
    queries; needs the caller's scope, and looks only at devices in it.
    """
    audience = audience_of(schedules, now=now)
    found = []
    for schedule in schedules:
        rule = audience.rules[schedule.pk]
        heard = {(audience.zones[place], audience.floors[place]) for place in audience.places[schedule.pk]}
        instants = [
            (occurrence.at, name)
            for name, over in heard
            if (
                occurrence := next_occurrence(
                    rule, over.zone, SEED, clock.to_us(now), floor=over, due_only=True
                )
            )
        ]
        if instants:
            at, name = min(instants)
            local = from_us(at, load_zone(name)).isoformat()
            found.append(Next(schedule.pk, clock.from_us(at), local, name))
        else:
            found.append(Next(schedule.pk, None, None, None))
    return found


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many instants of a draft are not to be heard for one reason; `message` is its sentence."""

    reason: str
    number: int

    @property
    def message(self) -> str:
        """The reason as a sentence."""
        return MESSAGES[self.reason]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a draft would do from now `until` an instant: what is heard, and what would be but for a reason."""

    until: datetime
    occurrences: list[Sight]
    left_out: list[LeftOut]


def foreseen(schedule: Schedule, parts: Parts, *, now: datetime) -> Foreseen:
    """What an unsaved schedule of a loaded client would do, as if it were switched on; nothing is written.

    Its key is that of the one that it would replace, 0 for a new one, whose choices nobody knows yet: of several
    announcements none is named. Without an announcement the instants are told all the same. Raises `ValidationError`
    where its columns contradict each other.
    """
    columns_fit(schedule)
    rule = _rule(schedule, parts)
    floors = [floor.pk for floor in parts.floors or ()]
    draft = Draft(rule, [device.pk for device in parts.devices or ()], floors)
    audience = audience_of([schedule], now=now, drafts={schedule.pk: draft})
    known = {slot.offset_us: schedule.pk > 0 or len(slot.candidates) == 1 for slot in rule.slots}
    titles = {entry.announcement.pk: entry.announcement.title for entry in parts.entries or ()}

    due: dict[tuple[int, str], Sight] = {}
    left: dict[str, set[int]] = defaultdict(set)
    start, end = now, now + HORIZON
    while start < end and len({at for at, _ in due}) <= MOST_FORESEEN:
        window = clock.to_us(start), clock.to_us(start + STEP)
        for place in audience.places[schedule.pk]:
            for each in audience.occurrences(place, {schedule.pk: window}):
                if each.reason:
                    left[each.reason].add(each.at)
                    continue
                zone = audience.zones[place]
                chosen = int(each.announcement_id or 0) if known[each.offset_us] else 0
                sight = due.setdefault(
                    (each.at, zone),
                    Sight(clock.from_us(each.at), zone, chosen or None, titles.get(chosen, ""), ""),
                )
                sight.floors += [] if place.floor_pk is None else [place.floor_pk]
                sight.devices += [device.pk for device in audience.devices[place][schedule.pk]]
        start += STEP

    instants = sorted({at for at, _ in due})
    if len(instants) > MOST_FORESEEN:
        start = clock.from_us(instants[MOST_FORESEEN])
    until = clock.to_us(start)
    counted = {reason: sum(at < until for at in found) for reason, found in sorted(left.items())}
    return Foreseen(
        start,
        [due[key] for key in sorted(due) if key[0] < until],
        [LeftOut(reason, number) for reason, number in counted.items() if number],
    )


def _rule(schedule: Schedule, parts: Parts) -> ScheduleRule:
    """The draft's rule; one without announcements has a nameless one, so that its instants are seen."""
    entries = [
        (
            entry.timestamp_seconds,
            Candidate(
                id=str(entry.announcement.pk),
                enabled=entry.announcement.enabled and entry.announcement.playable,
                valid_from=_us(entry.announcement.valid_from),
                valid_until=_us(entry.announcement.valid_until),
            ),
        )
        for entry in parts.entries or ()
    ]
    days = [DateRange(off.first, off.last) for off in parts.exceptions or ()]
    return rule_of(schedule, entries or [(0, Candidate("0"))], days)


def _us(instant: datetime | None) -> int | None:
    return None if instant is None else clock.to_us(instant)
