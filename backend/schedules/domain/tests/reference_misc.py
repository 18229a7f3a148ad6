"""The small groups of the vector file the slow way: wall times, days, silence, masks, ids."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from schedules.domain.tests import reference_schedule
from schedules.domain.tests.reference_clock import DAY, clock, day_number, is_quiet
from zones.domain.wallclock import load_zone

MINUTE_US = 60_000_000
NAMESPACE = "ca23abe2-c0c7-51d9-b0d5-f5ae650767af"


def wall(case: dict[str, Any]) -> dict[str, Any]:
    """When a wall time is reached, and whether it is ever shown."""
    asked = datetime.fromisoformat(case["wall"])
    target = day_number(asked.date()) * DAY + asked.hour * 60 + asked.minute
    ticking = clock(load_zone(case["zone"]), asked.year, asked.year)
    minute = target - 2 * DAY
    while ticking.read(minute) < target:
        minute += 1
    shown = any(ticking.wall(m) == target for m in range(target - DAY, target + DAY))
    return {"reach": minute * MINUTE_US, "exists": shown}


def day(case: dict[str, Any]) -> list[int]:
    """The midnights of a date and of the next."""
    asked = date.fromisoformat(case["date"])
    ticking = clock(load_zone(case["zone"]), asked.year, asked.year)
    number = day_number(asked)
    return [ticking.midnights[number] * MINUTE_US, ticking.midnights[number + 1] * MINUTE_US]


def silence(case: dict[str, Any]) -> list[list[int]]:
    """What is silent in a window of whole minutes, minute by minute."""
    first = datetime(1970, 1, 1).toordinal() + case["from"] // MINUTE_US // DAY  # noqa: DTZ001 - days only
    year = date.fromordinal(first).year
    ticking = clock(load_zone(case["zone"]), year, year + 1)
    spans: list[list[int]] = []
    for minute in range(case["from"] // MINUTE_US, case["to"] // MINUTE_US):
        at = minute * MINUTE_US
        silent = any(is_quiet(ticking, minute, quiet) for quiet in case["quiet"])
        silent |= any(a <= at and (b is None or at < b) for a, b in case.get("stops", []))
        if silent and spans and spans[-1][1] == at:
            spans[-1][1] = at + MINUTE_US
        elif silent:
            spans.append([at, at + MINUTE_US])
    return spans


def identity(case: dict[str, Any]) -> str:
    """The event's id."""
    if "schedule" in case:
        name = f"occurrence/{case['schedule']}/{case['at']}/{case['device']}"
    else:
        name = f"programme/{case['playlist']}/{case['floor']}/{case['at']}/{case['device']}"
    return reference_schedule.uuid5(NAMESPACE, name)


def mask(case: dict[str, Any]) -> list[list[Any]]:
    """Segments under silent spans, a tenth of a second at a time."""
    tenth = 100_000
    rows: list[list[Any]] = []
    for start, end, kind, item, owner, offset, fade_in, fade_out in case["segments"]:
        audible = [at for at in range(start, end, tenth) if not any(a <= at < b for a, b in case["silent"])]
        if kind != "music":
            if len(audible) == (end - start) // tenth:
                rows.append([start, end, kind, item, owner, offset, fade_in, fade_out])
            continue
        runs: list[list[int]] = []
        for at in audible:
            if runs and runs[-1][1] == at:
                runs[-1][1] = at + tenth
            else:
                runs.append([at, at + tenth])
        for a, b in runs:
            fade = min(500_000, (b - a) // 2)
            first, last = fade_in if a == start else fade, fade_out if b == end else fade
            rows.append([a, b, kind, item, owner, offset + a - start, first, last])
    return rows


def choice(case: dict[str, Any]) -> list[str | None]:
    """One choice after the other."""
    return [
        reference_schedule.choose(case["seed"], case["key"], n, case["candidates"], case["avoid_repeat"])
        for n in range(case["first"], case["first"] + case["count"])
    ]
