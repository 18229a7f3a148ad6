"""One seed in a process of its own, which may live through others after it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Outcome = tuple[int, float, Counter[str], Counter[str], dict[str, str]]
"""A seed and what came of it: seconds of the processor, figures, broken promises, an example of each."""


def prepared() -> None:
    """Django on an empty database in memory, once in each process."""
    sys.path[:0] = [str(ROOT / "backend"), str(ROOT / "player" / "src")]
    os.environ["DJANGO_SETTINGS_MODULE"] = "simulation.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def simulate(chosen: argparse.Namespace, seed: int) -> Outcome:
    """One world on an empty database."""
    from django.core.management import call_command

    from events.models import PlayEvent
    from simulation.judge import judge
    from simulation.world import Size, World
    from testing.emptying import trail_may_be_emptied

    begun = time.process_time()
    with trail_may_be_emptied():
        call_command("flush", verbosity=0, interactive=False)
    size = Size(**{each.name: getattr(chosen, each.name) for each in fields(Size)})
    world = World(seed=seed, size=size)
    with world.simulated():
        world.run()
        broken, examples = judge(world)
    figures = Counter(world.happened)
    figures["events"] = PlayEvent._base_manager.count()
    figures["heard"] = sum(len(speaker.heard) for speaker in world.speakers)
    figures["deaths of processes"] = world.server.deaths
    return seed, time.process_time() - begun, figures, broken, examples
