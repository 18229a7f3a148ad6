"""`python -m simulation`: one seed after the other; one line of JSON and a table; status 1 if a promise broke."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FIXED_HASHES = {"PYTHONHASHSEED": "0"}
"""The order of a set of texts must not be another chance beside the seed."""


def simulate(seed: int, chosen: argparse.Namespace) -> tuple[Counter[str], Counter[str], dict[str, str]]:
    """One world on an empty database: figures, broken promises, an example of each."""
    from django.core.management import call_command

    from events.models import PlayEvent
    from simulation.judge import judge
    from simulation.world import Size, World
    from testing.emptying import trail_may_be_emptied

    with trail_may_be_emptied():
        call_command("flush", verbosity=0, interactive=False)
    size = Size(shops=chosen.shops, speakers=chosen.speakers, hours=chosen.hours, haste=chosen.haste)
    world = World(seed=seed, size=size)
    with world.simulated():
        world.run()
        broken, examples = judge(world)
    figures = Counter(world.happened)
    figures["events"] = PlayEvent._base_manager.count()
    figures["heard"] = sum(len(speaker.heard) for speaker in world.speakers)
    figures["deaths of processes"] = world.server.deaths
    return figures, broken, examples


def main() -> int:
    """Runs the seeds that the command line asks for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--seed", type=int, default=None, help="the first seed; another each time without it"
    )
    options.add_argument("--seeds", type=int, default=1, help="how many, one after the other")
    options.add_argument("--hours", type=float, default=24)
    options.add_argument("--shops", type=int, default=3)
    options.add_argument("--speakers", type=int, default=4, help="on each of a shop's two floors")
    options.add_argument("--haste", type=float, default=1.0, help="so many times as many faults and deeds")
    chosen = options.parse_args()
    seed = chosen.seed if chosen.seed is not None else time.time_ns() % 1_000_000
    begun = time.monotonic()
    total: Counter[str] = Counter()
    broken_seeds: dict[int, dict[str, Any]] = {}
    for each in range(seed, seed + chosen.seeds):
        figures, broken, examples = simulate(each, chosen)
        total.update(figures)
        if broken:
            broken_seeds[each] = {name: (count, examples[name]) for name, count in broken.items()}
            again = f"--seed {each} --hours {chosen.hours:g} --shops {chosen.shops}"
            again += f" --speakers {chosen.speakers} --haste {chosen.haste:g}"
            print(f"Promises broke with seed {each}. Again: python -m simulation {again}", file=sys.stderr)
    took = round(time.monotonic() - begun, 1)
    size = {"seed": seed, "seeds": chosen.seeds, "days": chosen.seeds * chosen.hours / 24, "wall_s": took}
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
    sys.path[:0] = [str(ROOT / "backend"), str(ROOT / "player" / "src")]
    os.environ["DJANGO_SETTINGS_MODULE"] = "simulation.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    sys.exit(main())
