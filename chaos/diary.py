"""What a run has to tell, while it runs: lines for people, and one JSON line for each round and each broken promise.

The file of JSON lines outlives the run: a later one adds to it, or, with the same seed, goes on where it ended.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaos.judge import Broken

SHOWN = 10
"""How many breaches of one promise are told one by one in a chapter; all stand in the file."""


@dataclass(slots=True)
class Round:
    """One fault, once. `recovered_s`: after its end, the first play that reached all was ordered; None: never."""

    fault: str
    number: int
    began: int
    ended: int = 0
    normal: int = 0
    recovered_s: float | None = None
    plays: int = 0
    """How many began to sound on all devices, from the round before until this one's end."""
    broken: Broken | None = None
    """What the round itself found."""


class Diary:
    """Keeps the record of a run in `file`; `had` are the rounds that stand there already under the same seed."""

    def __init__(self, file: Path, seed: str, tell: Callable[[str], None]) -> None:
        self.had = {
            (each["fault"], each["round"])
            for each in written(file)
            if each["seed"] == seed and "devices" in each
        }
        self.count: Counter[str] = Counter()
        """Broken promises of this run."""
        self._file = file
        self._seed = seed
        self._tell = tell
        self._told: set[tuple[str, str]] = set()

    def round(self, done: Round, devices: int) -> None:
        """A round is over."""
        took = round((done.ended - done.began) / 1e6, 1)
        normal = None if done.recovered_s is None else round(done.recovered_s, 1)
        self._write(done, devices=devices, plays=done.plays, fault_s=took, recovered_s=normal)
        self._tell(
            f"{datetime.now(UTC):%H:%M:%S} {done.fault} {done.number}: lasted {took} s, normal again"
            f" {'never' if normal is None else f'after {normal} s'}, {done.plays} plays"
        )
        if done.broken is not None:
            self.broken([done], [done.broken])

    def broken(self, rounds: list[Round], found: list[Broken]) -> None:
        """The judge's findings, each given to the last round that had begun when it fell."""
        new = [each for each in found if (each.promise, each.seen) not in self._told]
        self._told.update((each.promise, each.seen) for each in new)
        shown = Counter[str]()
        for each in new:
            self.count[each.promise] += 1
            shown[each.promise] += 1
            before = [one for one in rounds if each.at and one.began - 2_000_000 <= each.at]
            done = before[-1] if before else Round("no round's", 0, 0)
            self._write(done, broken=each.promise, at=each.at, seen=each.seen)
            if shown[each.promise] <= SHOWN:
                self._tell(
                    f"BROKEN {each.promise}: seed {self._seed}, {done.fault} {done.number}: {each.seen}"
                )

    def _write(self, done: Round, **facts: Any) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        line = {"seed": self._seed, "fault": done.fault, "round": done.number, **facts}
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")


def written(file: Path) -> list[dict[str, Any]]:
    """All that stands in a diary's file."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def table(lines: list[dict[str, Any]]) -> str:
    """For people: each fault with its rounds, devices, plays, recovery times and broken promises."""
    shape = "{:18}{:>7}{:>10}{:>10}{:>14}{:>8}{:>8}"
    rows = [shape.format("fault", "rounds", "devices", "plays", "recovery: p50", "worst", "broken")]
    for fault in dict.fromkeys(each["fault"] for each in lines):
        mine = [each for each in lines if each["fault"] == fault and "devices" in each]
        times = [each["recovered_s"] for each in mine if each["recovered_s"] is not None]
        sizes = sorted({each["devices"] for each in mine}) or [0]
        never = len(mine) - len(times)
        rows.append(
            shape.format(
                fault,
                len(mine),
                "-".join(dict.fromkeys(str(each) for each in (sizes[0], sizes[-1]))),
                sum(each["plays"] for each in mine),
                f"{statistics.median(times):.1f}" if times else "",
                "never" if never else f"{max(times, default=0):.1f}",
                sum("broken" in each for each in lines if each["fault"] == fault),
            )
        )
    return "\n".join(rows)
