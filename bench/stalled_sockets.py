"""One message to 2,950 devices while 50 others have stopped reading, and what it costs them.

The fifty belong to a second client. In each turn they connect, and the message goes to the others; then they read no
more, plans are pushed to them until the kernel's buffers are full and the server has to keep what is theirs, and the
same message goes to the same others again. What was pushed to the fifty is over before that is measured, and their
deadline is not: whoever of them is dropped is dropped after the turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "backend"), str(ROOT / "player" / "src")]

from fleet import ours  # noqa: E402  # the paths above come first
from fleet.client import Fleet, fleet, raise_file_limit  # noqa: E402
from ground import database  # noqa: E402

PAUSE_S = 0.2
GIVEN_UP_S = 12.0
"""After a turn: more than the server's deadline for a frame."""
FILLED_BYTES = 8 * 1024 * 1024
"""For each of them: more than the kernel and the server take before they wait."""


def pushed(one: Fleet, devices: Sequence[int], rounds: int) -> list[float]:
    """ms from the sender's call to the last of `devices`, which are all of `one`."""
    from devices import bus
    from devices.hub import Frame
    from devices.protocol import PlanChanged

    taken = []
    for number in range(rounds + 1):
        begun, heard = one.heard(len(devices), lambda: bus.publish(Frame(list(devices), PlanChanged())))
        if number:
            taken.append((heard.last - begun) * 1e3)
        time.sleep(PAUSE_S)
    return taken


def stuff(devices: Sequence[int]) -> None:
    """Fills what lies between the server and devices that do not read."""
    from devices import bus, protocol
    from devices.hub import Frame

    large = protocol.ReceiptAck(event_ids=["0" * 36] * 1500)
    for _ in range(FILLED_BYTES // len(protocol.encode(large))):
        bus.publish(Frame(list(devices), large))


def measured(count: int, stalled: int, turns: int, rounds: int) -> tuple[dict[str, list[float]], int]:
    """ms of every round with and without them, and how many of the last turn's fifty were dropped."""
    taken: dict[str, list[float]] = {"without": [], "beside": []}
    with database(), tempfile.TemporaryDirectory() as folder:
        rows = ours.filled(count)
        keys = [pk for pk, _, _ in rows.devices]
        deaf, reading = keys[:stalled], keys[stalled:]
        with ours.server(Path(folder)) as server, fleet(server.port) as good:
            everybody = ours.speakers(rows, server.port)
            good.connect(list(everybody[stalled:]))
            for _ in range(turns):
                dropped = server.log.count("dropped")
                with fleet(server.port) as bad:
                    bad.connect(list(everybody[:stalled]))
                    taken["without"] += pushed(good, reading, rounds)
                    bad.deaf(stalled)
                    stuff(deaf)
                    taken["beside"] += pushed(good, reading, rounds)
                    time.sleep(GIVEN_UP_S)
                dropped = server.log.count("dropped") - dropped
    return taken, dropped


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--devices", type=int, default=3000)
    options.add_argument("--stalled", type=int, default=50)
    options.add_argument("--turns", type=int, default=5)
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args()
    raise_file_limit()
    taken, dropped = measured(chosen.devices, chosen.stalled, chosen.turns, chosen.rounds)
    found = {name: {"median_ms": round(statistics.median(each), 2)} for name, each in taken.items()}
    ratio = round(found["beside"]["median_ms"] / found["without"]["median_ms"], 2)
    told = {"devices": chosen.devices, "stalled": chosen.stalled, "dropped": dropped, "ratio": ratio}
    print(json.dumps({"bench": "stalled_sockets", **told, **found}))
    print(f"{'':24}{'last of the others ms':>24}")
    for name, row in found.items():
        print(f"{name:24}{row['median_ms']:24.2f}")
    print(f"{ratio} times; {dropped} of {chosen.stalled} that stopped reading were dropped.")


if __name__ == "__main__":
    main()
