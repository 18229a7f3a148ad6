"""What an idle connected device costs in memory: the server's growth from none to 3,000 devices, by device.

Baseline in the same run: bare `websockets` without compression and keep-alive, whose handler holds nothing. Memory
is the process's own (Pss of /proc/PID/smaps_rollup), ten seconds after all are in.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "backend"), str(ROOT / "player" / "src")]

from fleet import baselines, ours  # noqa: E402  # the paths above come first
from fleet.client import Fleet, fleet, raise_file_limit  # noqa: E402
from fleet.processes import memory_kb  # noqa: E402
from ground import database  # noqa: E402

QUIET_S = 10.0


def grown(one: Fleet, devices: list[ours.Speaker], pid: int) -> dict[str, float]:
    """kB a device: of those after the first 300, which fill what is filled once."""
    first, rest = devices[:300], devices[300:]
    one.connect(first)
    time.sleep(QUIET_S)
    before = memory_kb(pid)
    one.connect(rest)
    time.sleep(QUIET_S)
    after = memory_kb(pid)
    one.leave()
    return {"kb_each": round((after - before) / len(rest), 1), "mb": round(after / 1024, 1)}


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--devices", type=int, default=3000)
    count = options.parse_args().devices
    raise_file_limit()
    with database(), tempfile.TemporaryDirectory() as folder:
        rows = ours.filled(count)
        with baselines.websockets() as bare, fleet(bare.port) as one:
            found = {"websockets": grown(one, list(ours.speakers(rows, bare.port)), bare.pids[0])}
        with ours.server(Path(folder)) as server, fleet(server.port) as one:
            assert server.process is not None
            found["ours"] = grown(one, list(ours.speakers(rows, server.port)), server.process.pid)
    ratio = round(found["ours"]["kb_each"] / found["websockets"]["kb_each"], 2)
    print(json.dumps({"bench": "socket_memory", "devices": count, **found, "ratio": ratio}))
    print(f"{'':14}{'kB a device':>13}{'MB in all':>11}{'ratio':>8}")
    for name, row in found.items():
        share = row["kb_each"] / found["websockets"]["kb_each"]
        print(f"{name:14}{row['kb_each']:13.1f}{row['mb']:11.1f}{share:8.2f}")


if __name__ == "__main__":
    main()
