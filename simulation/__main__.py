"""`python -m simulation`: seeds beside each other; one line of JSON and a table; status 1 if a promise broke."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from functools import partial
from typing import Any

from simulation.seeds import prepared, simulate

FIXED_HASHES = {"PYTHONHASHSEED": "0"}
"""The order of a set of texts must not be another chance beside the seed."""


def main() -> int:
    """Runs the seeds that the command line asks for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--seed", type=int, default=None, help="the first seed; another each time without it"
    )
    options.add_argument("--seeds", type=int, default=1, help="how many")
    options.add_argument("--processes", type=int, default=1, help="how many seeds at a time")
    options.add_argument("--hours", type=float, default=24)
    options.add_argument("--shops", type=int, default=3)
    options.add_argument("--speakers", type=int, default=4, help="on each of a shop's two floors")
    options.add_argument("--haste", type=float, default=1.0, help="so many times as many faults and deeds")
    options.add_argument(
        "--every", type=int, default=0, help="minutes between a floor's words; 2, 3 or 5 by chance without it"
    )
    chosen = options.parse_args()
    seed = chosen.seed if chosen.seed is not None else time.time_ns() % 1_000_000
    begun = time.monotonic()
    total: Counter[str] = Counter()
    cpu_s = 0.0
    broken_seeds: dict[int, dict[str, Any]] = {}
    with multiprocessing.get_context("spawn").Pool(chosen.processes, prepared) as pool:
        seeds = range(seed, seed + chosen.seeds)
        for each, took, figures, broken, examples in pool.imap_unordered(partial(simulate, chosen), seeds):
            total.update(figures)
            print(
                f"seed {each}: {figures['events']:,} events, {took:.0f} s of CPU", file=sys.stderr, flush=True
            )
            cpu_s += took
            if broken:
                broken_seeds[each] = {name: (count, examples[name]) for name, count in broken.items()}
                again = f"--seed {each} --hours {chosen.hours:g} --shops {chosen.shops}"
                again += f" --speakers {chosen.speakers} --haste {chosen.haste:g} --every {chosen.every}"
                said = f"Promises broke with seed {each}. Again: python -m simulation {again}"
                print(said, broken_seeds[each], file=sys.stderr, flush=True)
    wall_s = round(time.monotonic() - begun, 1)
    size = {"seed": seed, "seeds": chosen.seeds, "days": chosen.seeds * chosen.hours / 24}
    size |= {"wall_s": wall_s, "cpu_s": round(cpu_s, 1)}
    print(json.dumps({"simulation": "promise three", **size, **total, "broken": broken_seeds}))
    for name, value in {**size, **dict(sorted(total.items()))}.items():
        print(f"{name:28}{value:>14,}")
    for each, promises in broken_seeds.items():
        for name, (count, example) in promises.items():
            print(f"BROKEN with seed {each}: {name}, {count} times, such as {example}")
    return 1 if broken_seeds else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        again = [sys.executable, "-m", "simulation", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | FIXED_HASHES)  # noqa: S606  # ourselves, no shell
    sys.exit(main())
