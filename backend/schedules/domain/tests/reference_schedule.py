"""Schedules the slow way: second by second through a day, day by day from 2024 on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from hashlib import sha1, sha256
from typing import Any

from schedules.domain.tests.reference_clock import DAY, Clock, clock, day_number, is_quiet, weekday_of
from zones.domain.wallclock import load_zone

US = 1_000_000
EPOCH_DAY = day_number(date(2024, 1, 1))
Row = list[Any]


def _sha(*parts: object) -> bytes:
    return sha256("\x1f".join(str(part) for part in parts).encode("utf-8")).digest()


class _Dealer:
    """Deals bag after bag and never skips one; each is mended against the one really dealt before."""

    def __init__(self, seed: str, key: str, candidates: tuple[str, ...], first: int) -> None:
        self.seed, self.key, self.candidates, self.first = seed, key, candidates, first
        self.bags: list[list[str]] = []

    def bag(self, number: int) -> list[str]:
        while self.first + len(self.bags) <= number:
            self.deal()
        return self.bags[number - self.first]

    def deal(self) -> None:
        number = 0 if len(self.candidates) == 2 else self.first + len(self.bags)
        order = sorted(self.candidates, key=lambda name: _sha("bag", self.seed, self.key, number, name))
        if self.bags and len(order) > 2 and order[0] == self.bags[-1][-1]:
            order[0], order[1] = order[1], order[0]
        self.bags.append(order)


@cache
def _dealer(seed: str, key: str, candidates: tuple[str, ...], first: int) -> _Dealer:
    return _Dealer(seed, key, candidates, first)


def choose(seed: str, key: str, ordinal: int, candidates: Sequence[str], avoid_repeat: bool) -> str | None:
    """The choice, by dealing every bag up to it."""
    names = tuple(sorted(set(candidates)))
    if not names:
        return None
    if not avoid_repeat:
        return names[int.from_bytes(_sha("draw", seed, key, ordinal)[:8], "big") % len(names)]
    number = 0
    while ordinal - number * len(names) < 0:
        number -= 1
    while ordinal - number * len(names) >= len(names):
        number += 1
    dealer = _dealer(seed, key, names, -1 if number >= 0 else -100)
    return dealer.bag(number)[ordinal - number * len(names)]


def uuid5(namespace: str, name: str) -> str:
    """UUIDv5 by hand (RFC 9562, section 5.5)."""
    raw = bytearray(sha1(bytes.fromhex(namespace.replace("-", "")) + name.encode()).digest()[:16])  # noqa: S324 - the RFC's hash
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class _Schedule:
    """One schedule in one zone."""

    def __init__(self, spec: dict[str, Any], zone: str, seed: str, years: tuple[int, int]) -> None:
        self.spec, self.seed = spec, seed
        self.clock = clock(load_zone(zone), min(years[0], 2024), max(years[1], 2024))
        if spec["type"] == "interval":
            self.period = spec["interval_minutes"] * 60
            self.marks = {0: list(spec["announcements"])}
        else:
            self.period = spec["cycle_duration_minutes"] * 60
            self.marks = {}
            for announcement in spec["announcements"]:
                self.marks.setdefault(announcement["timestamp_seconds"], []).append(announcement)
        self._counts: dict[tuple[int, int], int] = {}

    def active(self, number: int) -> bool:
        days = self.spec.get("active_days") or [1, 2, 3, 4, 5, 6, 7]
        return weekday_of(number) in days

    def excepted(self, number: int) -> bool:
        day = (date(1970, 1, 1) + timedelta(days=number)).isoformat()
        return any(first <= day <= last for first, last in self.spec.get("exceptions", []))

    def counts(self, number: int, mark: int, until: int) -> int:
        """How many occurrences of a mark could sound on a day before the second `until`."""
        if not self.active(number) or self.excepted(number):
            return 0
        count = 0
        at = self.clock.midnights[number] * 60 + mark
        while at < until:
            count += not is_quiet(self.clock, at // 60, self.spec.get("quiet"))
            at += self.period
        return count

    def whole_day(self, number: int, mark: int) -> int:
        key = number, mark
        if key not in self._counts:
            self._counts[key] = self.counts(number, mark, self.clock.midnights[number + 1] * 60)
        return self._counts[key]

    def ordinal(self, number: int, mark: int, at: int) -> int:
        before = sum(self.whole_day(n, mark) for n in range(EPOCH_DAY, number))
        after = sum(self.whole_day(n, mark) for n in range(number, EPOCH_DAY))
        return before - after + self.counts(number, mark, at)

    def rows(self, start: int, end: int, floor: dict[str, Any], floor_clock: Clock) -> list[Row]:
        """[schedule, at µs, local, announcement, reason, by] of every occurrence in [start, end), seconds."""
        rows: list[Row] = []
        number = self.clock.read(start // 60) // DAY
        for second in range(start, end):
            while self.clock.midnights[number + 1] * 60 <= second:
                number += 1
            if not self.active(number):
                continue
            mark = (second - self.clock.midnights[number] * 60) % self.period
            if mark in self.marks:
                rows.append(self.row(number, mark, second, floor, floor_clock))
        return rows

    def row(self, number: int, mark: int, second: int, floor: dict[str, Any], floor_clock: Clock) -> Row:
        own_quiet = is_quiet(self.clock, second // 60, self.spec.get("quiet"))
        enabled = [a for a in self.marks[mark] if a.get("enabled", True)]
        valid = [
            a["id"]
            for a in enabled
            if (a.get("valid_from") is None or a["valid_from"] <= second * US)
            and (a.get("valid_until") is None or second * US < a["valid_until"])
        ]
        chosen = None
        reason = None
        if not self.spec.get("enabled", True):
            reason = "disabled"
        elif self.excepted(number):
            reason = "exception_date"
        else:
            if not own_quiet and valid:
                ordinal = self.ordinal(number, mark, second) if len({a["id"] for a in enabled}) > 1 else 0
                key = f"{self.spec['id']}/{mark * US}"
                chosen = choose(self.seed, key, ordinal, valid, self.spec.get("avoid_repeat", True))
            if any(a <= second * US < b for a, b in floor.get("locked", [])):
                reason = "client_locked"
            elif any(a <= second * US and (b is None or second * US < b) for a, b in floor.get("stops", [])):
                reason = "floor_stopped"
            elif own_quiet or is_quiet(floor_clock, second // 60, floor.get("quiet")):
                reason = "quiet_hours"
            elif not enabled:
                reason = "no_announcement"
            elif not valid:
                reason = "not_valid"
        wall = self.clock.wall(second // 60)
        local = datetime(1970, 1, 1) + timedelta(minutes=wall, seconds=second % 60)  # noqa: DTZ001 - a wall time
        return [self.spec["id"], second * US, local.isoformat(), chosen, reason, None]


def _years(start: int, end: int) -> tuple[int, int]:
    first = datetime(1970, 1, 1) + timedelta(seconds=start)  # noqa: DTZ001 - only its year is read
    last = datetime(1970, 1, 1) + timedelta(seconds=end)  # noqa: DTZ001 - only its year is read
    return first.year, last.year


def occurrences(case: dict[str, Any]) -> list[Row]:
    """The rows of a case of group `occurrences`."""
    floor = case.get("floor", {})
    start, end = case["from"] // US, case["to"] // US
    years = _years(start, end)
    gap = floor.get("least_gap_us", 0) // US
    ticking = clock(load_zone(case["zone"]), min(years[0], 2024), max(years[1], 2024))
    schedules = [_Schedule(spec, case["zone"], case["seed"], years) for spec in case["schedules"]]
    if gap:
        first = ticking.midnights[ticking.read(start // 60) // DAY] * 60
        last = ticking.midnights[ticking.read((end - 1) // 60) // DAY + 2] * 60
    else:
        first, last = start, end
    found = [(s.spec, row) for s in schedules for row in s.rows(first, last, floor, ticking)]
    found.sort(key=lambda pair: (pair[1][1], pair[0]["type"] != "timeline", pair[1][0]))
    rows = [row for _, row in found]
    if gap:
        _space(rows, gap, ticking)
    return [row for row in rows if start * US <= row[1] < end * US]


def _space(rows: list[Row], gap: int, ticking: Clock) -> None:
    def day(row: Row) -> int:
        return ticking.read(row[1] // US // 60) // DAY

    firsts: dict[int, Row] = {}
    for row in rows:
        if row[4] is None:
            firsts.setdefault(day(row), row)
    kept: dict[int, Row] = {}
    for row in rows:
        if row[4] is not None:
            continue
        before, after = kept.get(day(row)), firsts.get(day(row) + 1)
        if before is not None and row[1] - before[1] < gap * US:
            row[4:] = ["least_gap", before[0]]
        elif after is not None and after[1] - row[1] < gap * US:
            row[4:] = ["least_gap", after[0]]
        else:
            kept[day(row)] = row


def next_occurrence(case: dict[str, Any]) -> Row | None:
    """The row of a case of group `next`, by trying one second after the other."""
    second = case["after"] // US + 1
    limit = second + case["horizon_days"] * 86_400
    years = _years(second, limit)
    schedule = _Schedule(case["schedule"], case["zone"], case["seed"], years)
    while second < limit:
        for row in schedule.rows(second, second + 3_600, case.get("floor", {}), schedule.clock):
            if row[4] is None or not case.get("due_only"):
                return row
        second += 3_600
    return None
