"""3,000 devices connect at once, each with its token: connects a second, and how soon all are back after a restart.

A device is in when its `hello` has been answered by `welcome`. Baseline in the same run, in turn with ours: the same
uvicorn with an endpoint that does nothing but look its one device up by the token with Django's ORM, as a Channels
consumer would, and welcome it; no lease is written, nothing is asked for that may be due, and no other process is told.
"one at a time" is our own server doing all of that, with every batch held to one device.
The restart is the hard one: SIGTERM, a new process at the same port, and all devices knocking without a pause.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "backend"), str(ROOT / "player" / "src")]

from fleet import baselines, ours  # noqa: E402  # the paths above come first
from fleet.client import Arrived, fleet, raise_file_limit  # noqa: E402
from ground import database  # noqa: E402
from journeys import lab  # noqa: E402

SETTLED_S = 3.0
"""After each turn: what the sockets that were hung up left behind is over."""


def serve_bare(port: int) -> None:
    """The baseline's server; runs until it is killed."""
    import uvicorn

    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings"
    import django

    django.setup()
    from common.crypto import fingerprint
    from common.tenancy import system_scope
    from devices.models import Device

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "sync2gear.v1"})
        token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        with system_scope("the baseline looks a device up"):
            await Device.objects.select_related("floor", "client").aget(token_hash=fingerprint(token))
        await receive()
        await send({"type": "websocket.send", "text": '{"type":"welcome"}'})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    raise_file_limit()
    uvicorn.run(
        application, port=port, log_level="error", lifespan="off", ws="websockets-sansio",
        ws_per_message_deflate=False,
    )  # fmt: skip


def rate(arrived: Arrived) -> float:
    """Connects a second, from the first knock to the last welcome."""
    return round(len(arrived.at) / (arrived.at[-1] - arrived.begun), 1)


def measured(count: int, rounds: int) -> dict[str, Any]:
    """Medians of both, and the restart."""
    rates: dict[str, list[float]] = {"one ORM look-up each": [], "one at a time": [], "ours": []}
    with ExitStack() as held:
        held.enter_context(database())
        rows = ours.filled(count)
        server = lab.Server(
            Path(held.enter_context(tempfile.TemporaryDirectory())), environ=ours.production()
        )
        held.callback(server.stop)
        server.start()
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        single = held.enter_context(
            ours.server(
                folder, DJANGO_SETTINGS_MODULE="fleet.one_by_one", PYTHONPATH=os.pathsep.join(sys.path)
            )
        )
        port = lab.free_port()
        environ = os.environ | ours.production() | {"PYTHONPATH": os.pathsep.join(sys.path)}
        bare = subprocess.Popen([sys.executable, __file__, "--serve-bare", str(port)], env=environ)
        held.callback(bare.wait)
        held.callback(bare.kill)
        at_bare = held.enter_context(fleet(port))
        at_single = held.enter_context(fleet(single.port))
        at_ours = held.enter_context(fleet(server.port))
        baselines.connected(port, bare).close()
        for number in range(rounds + 1):
            for name, one, where in (
                ("one ORM look-up each", at_bare, port),
                ("one at a time", at_single, single.port),
                ("ours", at_ours, server.port),
            ):
                arrived = one.connect(list(ours.speakers(rows, where)))
                if number:
                    rates[name].append(rate(arrived))
                one.leave()
                time.sleep(SETTLED_S)
        at_ours.connect(list(ours.speakers(rows, server.port)))
        begun = time.perf_counter()
        at_ours.leave()
        server.stop()
        server.start()
        started = time.perf_counter()
        arrived = at_ours.connect(list(ours.speakers(rows, server.port)))
        restart = {
            "down_s": round(started - begun, 2),
            "back_s": round(arrived.at[-1] - started, 2),
            "errors": server.log.count('"ERROR"'),
        }
        at_ours.leave()
    found = {name: {"per_s": round(statistics.median(each), 1)} for name, each in rates.items()}
    return {**found, "restart": restart}


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--devices", type=int, default=3000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--serve-bare", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    raise_file_limit()
    if chosen.serve_bare:
        serve_bare(chosen.serve_bare)
        return
    found = measured(chosen.devices, chosen.rounds)
    ratio = round(found["ours"]["per_s"] / found["one ORM look-up each"]["per_s"], 2)
    print(
        json.dumps(
            {"bench": "connects", "devices": chosen.devices, "rounds": chosen.rounds, **found, "ratio": ratio}
        )
    )
    print(f"{'':24}{'connects/s':>12}{'ratio':>8}")
    for name in ("one ORM look-up each", "one at a time", "ours"):
        share = found[name]["per_s"] / found["one ORM look-up each"]["per_s"]
        print(f"{name:24}{found[name]['per_s']:12.0f}{share:8.2f}")
    restart = found["restart"]
    print(
        f"A restart took {restart['down_s']} s; all were back {restart['back_s']} s later; errors: {restart['errors']}."
    )


if __name__ == "__main__":
    main()
