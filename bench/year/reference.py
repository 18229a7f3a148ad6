"""The plain reference: every minute that a zone's clock shows, as NumPy arrays. It shares no code with the engine."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from schedules.domain.tests.vectors import Spec
from year.shops import DAY, END, MINUTE, START, US
from zones.domain import load_zone

Seconds = NDArray[np.int64]


class Wall:
    """Every minute of a zone's clock, from a few days before the year to a few days after it, as NumPy arrays."""

    def __init__(self, name: str) -> None:
        zone = load_zone(name)
        self.begin = START // MINUTE - 4 * 1440
        quarters = range(self.begin, END // MINUTE + 5 * 1440, 15)
        offsets = [datetime.fromtimestamp(q * 60, UTC).astimezone(zone).utcoffset() for q in quarters]
        minutes = np.arange(self.begin, self.begin + 15 * len(quarters))
        shown = minutes + np.repeat([round(o.total_seconds()) // 60 for o in offsets if o is not None], 15)
        self.read = np.maximum.accumulate(shown)
        """The latest local minute shown by now: it stands still while an hour repeats."""
        self.first_day = int(self.read[0]) // 1440 + 1
        days = np.arange(self.first_day, int(self.read[-1]) // 1440 + 1)
        self.midnights = (self.begin + np.searchsorted(self.read, days * 1440)) * MINUTE

    def quiet(self, spec: Spec | None, at: Seconds) -> NDArray[np.bool_]:
        """Which of these instants lie in the quiet hours."""
        if spec is None:
            return np.zeros(len(at), dtype=bool)
        start, end = (int(spec[edge][:2]) * 60 + int(spec[edge][3:]) for edge in ("start", "end"))
        time_of_day = self.read[at // MINUTE - self.begin] % 1440
        if start < end:
            return (start <= time_of_day) & (time_of_day < end)
        return (start <= time_of_day) | (time_of_day < end)


def expected(spec: Spec, floor: Spec, wall: Wall) -> tuple[Seconds, list[str | None]]:
    """All instants of a schedule in the year and two days around it, and why each does not play, but for gaps."""
    if spec["type"] == "interval":
        period, slots = spec["interval_minutes"] * MINUTE, {0: spec["announcements"]}
    else:
        period, slots = spec["cycle_duration_minutes"] * MINUTE, {}
        for each in spec["announcements"]:
            slots.setdefault(each["timestamp_seconds"], []).append(each)
    days = [
        (number, int(begin), int(end))
        for number, (begin, end) in enumerate(
            zip(wall.midnights, wall.midnights[1:], strict=False), wall.first_day
        )
        if not spec["active_days"] or (number + 3) % 7 + 1 in spec["active_days"]
    ]
    found: list[tuple[Seconds, NDArray[np.object_]]] = []
    for offset, candidates in slots.items():
        per_day = [np.arange(begin + offset, end, period) for _, begin, end in days]
        at = np.concatenate(per_day)
        dates = np.repeat([number for number, _, _ in days], [len(each) for each in per_day])
        inside = (at >= START - 2 * DAY) & (at < END + 2 * DAY)
        found.append((at[inside], _reasons(spec, floor, wall, candidates, at[inside], dates[inside])))
    instants = np.concatenate([at for at, _ in found])
    order = np.argsort(instants)
    return instants[order], list(np.concatenate([reasons for _, reasons in found])[order])


def _reasons(
    spec: Spec, floor: Spec, wall: Wall, candidates: list[Spec], at: Seconds, dates: Seconds
) -> NDArray[np.object_]:
    """The first reason that holds at each instant; they are laid over each other from the last to the first."""
    reasons = np.full(len(at), None, dtype=object)
    valid = np.zeros(len(at), dtype=bool)
    for each in candidates:
        begin, end = each.get("valid_from", 0), each.get("valid_until", 1 << 62)
        valid |= (begin <= at * US) & (at * US < end)
    reasons[~valid] = "not_valid"
    reasons[wall.quiet(spec["quiet"], at) | wall.quiet(floor["quiet"], at)] = "quiet_hours"
    for reason, spans in (("floor_stopped", floor["stops"]), ("client_locked", floor["locked"])):
        for begin, end in spans:
            reasons[(begin <= at * US) & (at * US < end)] = reason
    for first, last in spec["exceptions"]:
        begin, end = ((date.fromisoformat(day) - date(1970, 1, 1)).days for day in (first, last))
        reasons[(begin <= dates) & (dates <= end)] = "exception_date"
    return reasons


def space(rows: dict[tuple[str, int], str | None], shop: Spec, wall: Wall) -> None:
    """Lays the floor's least gap over all rows of a shop, whose keys are (schedule, instant in seconds)."""
    gap = shop["floor"]["least_gap_us"] // US
    types = {spec["id"]: spec["type"] for spec in shop["schedules"]}
    due = sorted(
        ((at, types[name] != "timeline", name) for (name, at), reason in rows.items() if reason is None)
    )
    days = [int(wall.read[at // MINUTE - wall.begin]) // 1440 for at, _, _ in due]
    firsts = {day: at for (at, _, _), day in zip(reversed(due), reversed(days), strict=True)}
    kept: dict[int, int] = {}
    for (at, _, name), day in zip(due, days, strict=True):
        if at < kept.get(day, -gap) + gap or firsts.get(day + 1, at + gap) < at + gap:
            rows[name, at] = "least_gap"
        else:
            kept[day] = at
