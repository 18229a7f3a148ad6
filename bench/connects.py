"""3,000 devices connect at once, each with its token: connects a second, and how soon all are back after a restart.

A device is in when its `hello` has been answered by `welcome`. Two baselines in the same run, in turn with ours; both
are the same uvicorn with a lean endpoint, and ask the database by Django's ORM on a thread, as a Channels consumer
does:
- "one ORM look-up each" finds the one device by its token with its floor and business, and welcomes it. That is all: no
  lease is written, nothing is asked for that may be due, no other process is told. It does less than is needed.
- "same duty, one by one" does what ours owes to each device that comes: the look-up, its row saved with what the
  `hello` says, the orders that are due to it, and the message that ends its older session elsewhere. The device is
  welcomed after the look-up, as by ours, and the rest goes to the thread in one piece, where a consumer would hop
  three times.
Of each the server's CPU time for a connect is told too, until it is at rest again: of all that was put off.
A baseline has 300 devices: it holds nothing that grows, and all would take it minutes.
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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "backend"), str(ROOT / "player" / "src")]

from fleet import baselines, ours  # noqa: E402  # the paths above come first
from fleet.client import PATIENCE_S, Arrived, fleet, raise_file_limit  # noqa: E402
from fleet.processes import cpu_s  # noqa: E402
from ground import database  # noqa: E402
from journeys import lab  # noqa: E402

ONE_LOOK_UP, SAME_DUTY, OURS = "one ORM look-up each", "same duty, one by one", "ours"
BASELINE_DEVICES = 300
LOOKED_AT_S = 0.5
AT_REST = 0.1
"""The share of a processor below which a server is at rest: what a turn left behind is over."""


def serve_baseline(name: str, port: int) -> None:
    """A baseline's server; runs until it is killed."""
    import uvicorn

    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings"
    import django

    django.setup()
    from asgiref.sync import sync_to_async

    from common import clock
    from common.crypto import fingerprint
    from common.tenancy import system_scope
    from devices import bus, ports
    from devices.hub import Superseded
    from devices.models import Device

    def settled_in(device: Device, hello: dict[str, Any]) -> None:
        with system_scope("the baseline takes a device in"):
            device.session_id = os.urandom(8).hex()
            device.last_seen = now = clock.now()
            device.ip_address = "127.0.0.1"
            device.boot_id, device.software = hello["boot_id"], hello["software"]
            device.capabilities, device.applied_rev = hello["capabilities"], hello["applied_rev"]
            device.clock_state = hello["clock"]["state"]
            device.save(
                update_fields=["session_id", "last_seen", "ip_address", "boot_id", "software", "capabilities",
                               "applied_rev", "clock_state"]
            )  # fmt: skip
            ports.ledger().due([device.pk], reconnected=True, now=now)
            bus.publish(Superseded({device.pk: device.session_id}))

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "sync2gear.v1"})
        token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        with system_scope("the baseline looks a device up"):
            device = await Device.objects.select_related("floor", "client").aget(
                token_hash=fingerprint(token)
            )
        hello = json.loads((await receive())["text"])
        await send({"type": "websocket.send", "text": '{"type":"welcome"}'})
        if name == SAME_DUTY:
            await sync_to_async(settled_in)(device, hello)
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


def rested(pid: int) -> float:
    """The process's CPU seconds once it is at rest; waits for that."""
    deadline = time.monotonic() + PATIENCE_S
    before = cpu_s(pid)
    while True:
        time.sleep(LOOKED_AT_S)
        now = cpu_s(pid)
        if now - before < AT_REST * LOOKED_AT_S:
            return now
        assert time.monotonic() < deadline, "the server comes to no rest"
        before = now


@contextmanager
def baseline(name: str) -> Iterator[tuple[int, int]]:
    """A baseline's server: its port and process."""
    port = lab.free_port()
    environ = os.environ | ours.production() | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, __file__, "--serve", name, str(port)], env=environ) as process:
        try:
            baselines.connected(port, process).close()
            yield port, process.pid
        finally:
            process.kill()


def measured(count: int, rounds: int) -> dict[str, Any]:
    """Medians of all three, and the restart."""
    taken: dict[str, list[dict[str, float]]] = {ONE_LOOK_UP: [], SAME_DUTY: [], OURS: []}
    with ExitStack() as held:
        held.enter_context(database())
        rows = {
            ONE_LOOK_UP: ours.filled(min(count, BASELINE_DEVICES), prefix="looked-up"),
            SAME_DUTY: ours.filled(min(count, BASELINE_DEVICES), prefix="same-duty"),
            OURS: ours.filled(count),
        }
        server = lab.Server(
            Path(held.enter_context(tempfile.TemporaryDirectory())), environ=ours.production()
        )
        held.callback(server.stop)
        server.start()
        assert server.process is not None
        where = {name: held.enter_context(baseline(name)) for name in (ONE_LOOK_UP, SAME_DUTY)}
        where[OURS] = server.port, server.process.pid
        fleets = {name: held.enter_context(fleet(port)) for name, (port, _) in where.items()}
        for number in range(rounds + 1):
            for name, one in fleets.items():
                port, pid = where[name]
                devices = ours.speakers(rows[name], port)
                spent = rested(pid)
                arrived = one.connect(devices)
                cpu_ms = (rested(pid) - spent) / len(devices) * 1e3
                if number:
                    taken[name].append({"per_s": rate(arrived), "cpu_ms": cpu_ms})
                one.leave()
                rested(pid)
        one = fleets[OURS]
        one.connect(ours.speakers(rows[OURS], server.port))
        begun = time.perf_counter()
        one.leave()
        server.stop()
        server.start()
        started = time.perf_counter()
        arrived = one.connect(ours.speakers(rows[OURS], server.port))
        restart = {
            "down_s": round(started - begun, 2),
            "back_s": round(arrived.at[-1] - started, 2),
            "errors": server.log.count('"ERROR"'),
        }
        one.leave()
    found = {
        name: {key: round(statistics.median(row[key] for row in each), 2) for key in each[0]}
        for name, each in taken.items()
    }
    return {**found, "restart": restart}


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--devices", type=int, default=3000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        serve_baseline(chosen.serve[0], int(chosen.serve[1]))
        return
    raise_file_limit()
    found = measured(chosen.devices, chosen.rounds)
    mine = found[OURS]["per_s"]
    ratios = {name: round(mine / found[name]["per_s"], 2) for name in (ONE_LOOK_UP, SAME_DUTY)}
    told = {"bench": "connects", "devices": chosen.devices, "rounds": chosen.rounds}
    print(json.dumps({**told, **found, "ratios": ratios}))
    print(f"{'':24}{'connects/s':>12}{'ours to it':>12}{'CPU ms each':>13}")
    for name in (ONE_LOOK_UP, SAME_DUTY, OURS):
        row = found[name]
        print(f"{name:24}{row['per_s']:12.0f}{ratios.get(name, 1):12.2f}{row['cpu_ms']:13.2f}")
    restart = found["restart"]
    print(
        f"A restart took {restart['down_s']} s; all were back {restart['back_s']} s later; errors: {restart['errors']}."
    )


if __name__ == "__main__":
    main()
