"""Virtual time: what happens when, in order, with all chance from one seed. Instants µs UTC."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count
from random import Random
from typing import Any

from common import clock

MS = 1_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Kernel:
    """Runs what was put on its calendar; equal instants run in the order in which they were put there."""

    def __init__(self, *, seed: int, start: int) -> None:
        self.now = start
        self.rng = Random(seed)  # noqa: S311  # chance that can be repeated, no secret
        self._calendar: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._serial = count()

    @property
    def instant(self) -> datetime:
        """`now` as the server's code takes it."""
        return clock.from_us(self.now)

    def at(self, when: int, do: Callable[..., None], *arguments: Any) -> None:
        """Puts `do(*arguments)` on the calendar; what lies in the past happens next."""
        heapq.heappush(self._calendar, (max(when, self.now), next(self._serial), do, arguments))

    def after(self, delay: float, do: Callable[..., None], *arguments: Any) -> None:
        """The same, `delay` µs from now."""
        self.at(self.now + round(delay), do, *arguments)

    def every(self, period: int, do: Callable[[], None]) -> None:
        """Repeats `do`, from a random part of the first period on."""

        def again() -> None:
            self.after(period, again)
            do()

        self.after(self.rng.uniform(0, period), again)

    def seldom(self, mean: float, do: Callable[[], None]) -> None:
        """Repeats `do` at random instants, `mean` µs apart on average (a Poisson process)."""

        def again() -> None:
            self.after(self.rng.expovariate(1 / mean), again)
            do()

        self.after(self.rng.expovariate(1 / mean), again)

    def run(self, until: int) -> None:
        """Lets everything happen that is due before `until`."""
        while self._calendar and self._calendar[0][0] < until:
            self.now, _, do, arguments = heapq.heappop(self._calendar)
            do(*arguments)
        self.now = until
