"""`make chaos`: the faults under load, and whether the promises were kept. docs/faults.md says how to read it."""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import uvloop

from chaos import rounds
from chaos.faults import FAULTS

SHOWN = 10
"""How many breaches of one promise are told one by one."""


def main() -> int:
    """Status 0: every promise was kept."""
    options = argparse.ArgumentParser(prog="make chaos", description=__doc__.partition("\n")[0])
    options.add_argument(
        "--fault", action="append", choices=list(FAULTS), help="only these; all if none is named"
    )
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--devices", type=int, default=500)
    options.add_argument("--businesses", type=int, default=10)
    options.add_argument("--cut", type=float, default=60.0, help="seconds of the network cut")
    options.add_argument("--seed", default="", help="that of an earlier run, to have its faults again")
    options.add_argument(
        "--keep", type=Path, help="a folder that is not there yet, for the logs and the evidence"
    )
    chosen = options.parse_args()
    seed = chosen.seed or secrets.token_hex(3)
    print(f"seed {seed}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing of the footprint outlives the run
    scale = rounds.Scale(chosen.devices, chosen.businesses, chosen.rounds, chosen.cut)
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # PostgreSQL runs as somebody else where we are root
        began = time.monotonic()
        done, outside, left_out = uvloop.run(
            rounds.run(
                folder, chosen.fault or list(FAULTS), scale, seed, lambda line: print(line, flush=True)
            )
        )
    print(rounds.table(done, left_out))
    broken = [(each.fault, each.number, one) for each in done for one in each.broken]
    broken += [("no round's", 0, one) for one in outside]
    for promise, times in Counter(one.promise for *_, one in broken).items():
        print(f"BROKEN {promise}: {times} times")
        for fault, number, one in [each for each in broken if each[-1].promise == promise][:SHOWN]:
            print(f"  {fault} {number}: {one.seen}")
    took = round(time.monotonic() - began)
    print(
        json.dumps(
            {"chaos": seed, "devices": scale.devices, "rounds": len(done), "broken": len(broken), "s": took}
        )
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
