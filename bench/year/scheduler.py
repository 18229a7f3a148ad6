"""The server's scheduler for one shop, over a clock that jumps. Instants are seconds UTC."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

from schedules import domain as engine
from schedules.domain import Occurrence
from schedules.domain.tests import vectors
from schedules.domain.tests.vectors import Spec
from year.shops import DAY, END, HOUR, MINUTE, SEED, START, US

AHEAD_S, STEP_S = 90, 6 * HOUR
LONGEST_OUTAGE_S = 6 * DAY
LIVE_DAYS = 3
"""Days of a shop on which the scheduler runs as on the server: at every occurrence, 90 s ahead."""


class Ledger:
    """What was written down: the first word about an occurrence stands, as with ON CONFLICT DO NOTHING."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Occurrence] = {}
        self.missed: set[tuple[str, int]] = set()
        self.offered_again = self.contradicted = 0

    def write(self, occurrence: Occurrence, now: int) -> None:
        """An occurrence as the engine has it at the second `now`."""
        key = occurrence.schedule_id, occurrence.at
        there = self.rows.setdefault(key, occurrence)
        if there is not occurrence:
            self.offered_again += 1
            self.contradicted += there != occurrence
        elif occurrence.due and occurrence.expires_at <= now * US:
            self.missed.add(key)


class Scheduler:
    """The rules of `schedules.airing` for one shop, over a clock that jumps. Instants are seconds UTC."""

    def __init__(self, shop: Spec, rng: Random) -> None:
        self.floor = vectors.floor(shop["floor"], shop["zone"])
        self.rules = {spec["id"]: vectors.schedule(spec) for spec in shop["schedules"]}
        self.planned = dict.fromkeys(self.rules, START)
        self.ledger = Ledger()
        self.looks: list[tuple[int, int, str]] = []
        """What was written: at which instant, up to which one, of which schedule."""
        self.count: Counter[str] = Counter()
        self._rng = rng

    def run(self) -> None:
        """The whole year."""
        rng = self._rng
        outages = sorted(rng.randrange(START, END) for _ in range(rng.randint(0, 6)))
        live = {rng.randrange(START // DAY, END // DAY) for _ in range(LIVE_DAYS)}
        now = START
        while now < END:
            if outages and outages[0] <= now:
                outages.pop(0)
                self.count["outages"] += 1
                now += _scattered(rng, MINUTE, LONGEST_OUTAGE_S)
            if now // DAY in live:
                self.turn(now, AHEAD_S)
                now = max(now + 2, min(self.planned.values()) - AHEAD_S + rng.randint(0, 2))
            else:
                ahead = _scattered(rng, 30 * MINUTE, 48 * HOUR)
                self.turn(now, ahead)
                now += round(ahead * rng.uniform(0.4, 1.0))
        self.turn(END, AHEAD_S, steady=True)

    def turn(self, now: int, ahead: int, *, steady: bool = False) -> None:
        """One tick: now and then it dies in the middle, or another scheduler does the same at the same time."""
        fate = (
            "" if steady else self._rng.choice(("", "", "", "", "", "", "died first", "died late", "rival"))
        )
        before = dict(self.planned)
        self._look(now, ahead, fate)
        if fate == "rival":
            ours, self.planned = self.planned, before
            self._look(now, max(1, ahead - self._rng.randint(0, 60)), "")
            if self._rng.random() < 0.5:
                self.planned = ours
        self.count["turns"] += 1
        self.count[fate] += 1

    def _look(self, now: int, ahead: int, fate: str) -> None:
        while claimed := [name for name, at in self.planned.items() if at < now + ahead]:
            windows = {
                name: (self.planned[name], min(now + ahead, self.planned[name] + max(STEP_S, ahead)))
                for name in claimed
            }
            found = self._occurrences(windows)
            if fate == "died first":
                return
            for occurrence in found:
                self.ledger.write(occurrence, now)
            self.looks += [(now, until, name) for name, (_, until) in windows.items()]
            if fate == "died late":
                return
            for name, (_, until) in windows.items():
                coming = engine.next_occurrence(self.rules[name], self.floor.zone, SEED, until * US - 1)
                assert coming is not None
                self.planned[name] = coming.at // US

    def _occurrences(self, windows: dict[str, tuple[int, int]]) -> list[Occurrence]:
        if not self.floor.least_gap_us:
            return [
                each
                for name, (first, until) in windows.items()
                for each in engine.occurrences(
                    self.rules[name], self.floor.zone, SEED, first * US, until * US, self.floor
                )
            ]
        start, end = min(first for first, _ in windows.values()), max(until for _, until in windows.values())
        found = engine.floor_occurrences(self.rules.values(), self.floor, SEED, start * US, end * US)
        return [
            each
            for each in found
            if (window := windows.get(each.schedule_id)) and window[0] <= each.at // US < window[1]
        ]


def _scattered(rng: Random, shortest: int, longest: int) -> int:
    """A length of any order of magnitude between the two."""
    return round(math.exp(rng.uniform(math.log(shortest), math.log(longest))))
