"""A push to 20 devices while the same process answers requests whose query takes 100 ms, half of its time.

The requests are Django's own: a view among the project's routes that asks PostgreSQL to sleep. They come so often that
one of them is under way half of the time. Baseline in the same run, in turn: the same push without them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "backend"), str(ROOT / "player" / "src")]

import httpx  # noqa: E402  # the paths above come first
from fleet import ours  # noqa: E402
from fleet.client import Fleet, fleet  # noqa: E402
from ground import database  # noqa: E402

DEVICES = 20
QUERY_S = 0.1
PAUSE_S = 0.11
"""Between pushes: no device comes near its limit, and they do not beat with the requests."""


def ask(url: str, over: Any, answered: Any) -> None:
    """Slow requests, one after the other, with a pause as long as the query between two; in a process of its own."""
    with httpx.Client(timeout=30) as client:
        while not over.wait(QUERY_S):
            assert client.get(url).status_code == 200
            answered.value += 1


@contextmanager
def requests(url: str) -> Iterator[None]:
    """Slow requests for the block."""
    processes = multiprocessing.get_context("spawn")
    over, answered = processes.Event(), processes.Value("i", 0)
    asking = processes.Process(target=ask, args=(url, over, answered), daemon=True)
    asking.start()
    while not answered.value:
        assert asking.is_alive(), "no request is answered"
        time.sleep(0.05)
    yield
    over.set()
    asking.join()


def pushes(one: Fleet, devices: list[int], rounds: int) -> list[float]:
    """ms from the sender's call to the last device."""
    from devices import bus
    from devices.hub import Frame
    from devices.protocol import PlanChanged

    taken = []
    for _ in range(rounds):
        begun, heard = one.heard(DEVICES, lambda: bus.publish(Frame(devices, PlanChanged())))
        taken.append((heard.last - begun) * 1e3)
        time.sleep(PAUSE_S)
    return taken


def measured(rounds: int, turns: int) -> dict[str, Any]:
    """p50 of both over all turns."""
    taken: dict[str, list[float]] = {"alone": [], "beside": []}
    with_a_slow_route = {"DJANGO_SETTINGS_MODULE": "fleet.slow", "PYTHONPATH": os.pathsep.join(sys.path)}
    with database(), tempfile.TemporaryDirectory() as folder:
        rows = ours.filled(DEVICES)
        devices = [pk for pk, _, _ in rows.devices]
        with (
            ours.server(Path(folder), **with_a_slow_route) as server,
            fleet(server.port) as one,
        ):
            one.connect(list(ours.speakers(rows, server.port)))
            pushes(one, devices, 5)
            for _ in range(turns):
                taken["alone"] += pushes(one, devices, rounds)
                with requests(f"{server.url}/slow/"):
                    taken["beside"] += pushes(one, devices, rounds)
    return {name: {"p50_ms": round(statistics.median(each), 2)} for name, each in taken.items()}


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--turns", type=int, default=5)
    chosen = options.parse_args()
    found = measured(chosen.rounds, chosen.turns)
    ratio = round(found["beside"]["p50_ms"] / found["alone"]["p50_ms"], 2)
    print(
        json.dumps(
            {"bench": "beside_a_query", "rounds": chosen.rounds * chosen.turns, **found, "ratio": ratio}
        )
    )
    print(f"{'':12}{'p50 ms':>10}")
    for name, row in found.items():
        print(f"{name:12}{row['p50_ms']:10.2f}")


if __name__ == "__main__":
    main()
