"""`make chaos`: the faults under load, and whether the promises were kept. docs/faults.md says how to read it."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from chaos import rounds
from chaos.diary import Diary, table, written
from chaos.faults import FAULTS

Result = TypeVar("Result")
DIARY = Path(__file__).resolve().parents[1] / "bench" / "results" / "chaos.jsonl"


async def _ended_by_signal(run: Coroutine[Any, Any, Result]) -> Result:
    """SIGTERM ends it as Ctrl-C does: nothing of the footprint outlives the run."""
    own = asyncio.current_task()
    assert own is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, own.cancel)
    return await run


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
    options.add_argument("--minutes", type=float, default=math.inf, help="begin no round later than this")
    options.add_argument(
        "--seed", default="", help="that of an earlier run, to have its faults again, or to go on with it"
    )
    options.add_argument(
        "--diary",
        type=Path,
        default=DIARY,
        help="the file that each round is added to; what it has is not run",
    )
    options.add_argument("--table", action="store_true", help="only show what stands in the diary")
    options.add_argument(
        "--keep", type=Path, help="a folder that is not there yet, for the logs and the evidence"
    )
    chosen = options.parse_args()
    if chosen.table:
        print(table(written(chosen.diary)))
        return 0
    seed = chosen.seed or secrets.token_hex(3)
    print(f"seed {seed}", flush=True)
    scale = rounds.Scale(chosen.devices, chosen.businesses, chosen.rounds, chosen.cut, chosen.minutes)
    diary = Diary(chosen.diary, seed, lambda line: print(line, flush=True))
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # PostgreSQL runs as somebody else where we are root
        began = time.monotonic()
        faults = chosen.fault or list(FAULTS)
        done, left_out = uvloop.run(_ended_by_signal(rounds.run(folder, faults, scale, seed, diary)))
    print(table(written(chosen.diary)))
    for fault, why in left_out.items():
        print(f"{fault:18} not run: {why}")
    took = round(time.monotonic() - began)
    figures = {"chaos": seed, "devices": scale.devices, "rounds": len(done), "s": took, "broken": diary.count}
    print(json.dumps(figures))
    return 1 if diary.count else 0


if __name__ == "__main__":
    sys.exit(main())
