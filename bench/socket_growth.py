"""From 1,000 to 3,000 to 10,000 devices at one process: what bends first.

For each size, on the same server: connects a second, one message to all (median of the rounds, to the last device and
until every acknowledgement is committed), the server's CPU time for it, and its memory. A figure that grows faster than
the devices do is what bends.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "backend"), str(ROOT / "player" / "src")]

from broadcast import of_ours  # noqa: E402  # the paths above come first
from connects import rate  # noqa: E402
from fleet import ours  # noqa: E402
from fleet.client import fleet, raise_file_limit  # noqa: E402
from fleet.processes import memory_kb  # noqa: E402
from ground import database  # noqa: E402


def measured(count: int, rounds: int) -> dict[str, float]:
    """One size."""
    with ExitStack() as held:
        rows = ours.filled(count, prefix=f"of-{count}")
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        server = held.enter_context(ours.server(folder))
        one = held.enter_context(fleet(server.port))
        arrived = one.connect(list(ours.speakers(rows, server.port)))
        once = of_ours(one, server, rows)
        taken = [once() for _ in range(rounds + 1)][1:]
        assert server.process is not None
        found = {name: round(statistics.median(row[name] for row in taken), 1) for name in taken[0]}
        return {"connects_per_s": rate(arrived), **found, "mb": round(memory_kb(server.process.pid) / 1024)}


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", type=int, nargs="*", default=[1000, 3000, 10_000])
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    raise_file_limit()
    with database():
        found = {str(count): measured(count, chosen.rounds) for count in chosen.sizes}
    print(json.dumps({"bench": "socket_growth", "rounds": chosen.rounds, **found}))
    columns = ("connects_per_s", "half", "last", "stored", "cpu", "mb")
    print(f"{'devices':>8}" + "".join(f"{name:>16}" for name in columns))
    for count, row in found.items():
        print(f"{count:>8}" + "".join(f"{row[name]:16.1f}" for name in columns))


if __name__ == "__main__":
    main()
