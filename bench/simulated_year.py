"""A year of 1,000 shops in thirty zones in fast time: no occurrence lost, doubled, or out of its hours.

Each shop's schedules are stepped as `schedules.airing` does it: from the instant kept for each schedule, a look-ahead
window cut at random places, with outages, a scheduler that dies before or after it has written, and a rival beside
it. All that came of it is compared with a plain reference that shares no code with the engine: NumPy tables of every
minute that a zone's clock shows. On a sample the slow reference of the engine's tests is asked as well, and each
shop's music is looked at for a day. The reference is the baseline of the run.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from year.judge import judged  # noqa: E402
from year.reference import Wall  # noqa: E402
from year.shops import FIRST, LAST, shop_of  # noqa: E402

from schedules.domain.tests.test_year import ZONES  # noqa: E402  # the paths above come first

FAULTS = (
    "lost", "out_of_place", "contradicted", "wrong_reason", "out_of_hours", "wrongly_missed", "wrong_choice",
    "unlike_the_reference", "equal_ids", "music_unlike_when_cut", "music_in_quiet_hours", "silent_by_accident_ms",
    "talked_over", "untold", "late",
)  # fmt: skip


def zone_of_shops(task: tuple[int, int]) -> Counter[str]:
    """All shops of one zone: its number, and how many shops there are in all."""
    zone, shops = task
    wall = Wall(ZONES[zone])
    total: Counter[str] = Counter()
    for number in range(zone, shops, len(ZONES)):
        total.update(judged(shop_of(number), wall, sampled=number < len(ZONES)))
    return total


def main() -> int:
    """Prints one JSON line and a table; the exit status is 0 if nothing is wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--shops", type=int, default=1000)
    options.add_argument("--processes", type=int, default=2)
    chosen = options.parse_args()
    begun = time.monotonic()
    tasks = [(zone, chosen.shops) for zone in range(min(len(ZONES), chosen.shops))]
    total: Counter[str] = Counter()
    with multiprocessing.Pool(chosen.processes) as pool:
        for part in pool.imap_unordered(zone_of_shops, tasks):
            total.update(part)
    size = {"shops": chosen.shops, "zones": len(tasks), "days": (LAST - FIRST).days}
    figures = {name: total[name] for name in sorted(total) if name not in FAULTS}
    faults = {name: total[name] for name in FAULTS}
    seconds = {"wall_s": round(time.monotonic() - begun, 1), "processes": chosen.processes}
    print(json.dumps({"bench": "simulated_year", **size, **figures, "faults": faults, **seconds}))
    for name, value in {**size, **figures, **faults, **seconds}.items():
        print(f"{name:24}{value:>16,}")
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
