"""One message to 3,000 connected devices, from the sender's call to the last device's receipt.

The message is a `play_announcement` of some 600 bytes. Each device answers it at once: ours with an `ack`, which the
server commits to PostgreSQL, those of the baselines with the same `ack`, or with MQTT's PUBACK. So each server has the
answers of the first devices to take while it still writes to the last. Baselines in the same run, in turn with ours:
`websockets.broadcast` of one ready frame, Mosquitto with QoS 1, and a server of bare sockets that shows what kernel and
client alone cost. Ours gets the message over Valkey as all processes of it do, by one process and by two; each
device's frame holds an event id of its own. What a second process costs where servers, Valkey and client share two
cores is shown by `websockets` in two processes, fed by a bare publish to Valkey.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "backend"), str(ROOT / "player" / "src")]

from fleet import baselines, ours, wire  # noqa: E402  # the paths above come first
from fleet.client import Fleet, Heard, fleet, raise_file_limit  # noqa: E402
from fleet.processes import cpu_s  # noqa: E402
from ground import database  # noqa: E402
from journeys import lab  # noqa: E402

PAUSE_S = 0.4
"""After a message: what the last one caused is over, and no device comes near its limit of messages."""
TWO, TWO_BARE = "ours, 2 processes", "websockets, 2 processes"
Round = Callable[[], dict[str, float]]


def ms(seconds: float) -> float:
    """Milliseconds."""
    return round(seconds * 1e3, 2)


def of_baseline(one: Fleet, server: baselines.Baseline, message: bytes, count: int) -> Round:
    """A round of a baseline."""

    def once() -> dict[str, float]:
        spent = sum(map(cpu_s, server.pids))
        begun, heard = one.heard(count, lambda: server.send(message))
        time.sleep(PAUSE_S)
        return row(begun, heard) | {"cpu": ms(sum(map(cpu_s, server.pids)) - spent)}

    return once


def of_ours(one: Fleet, server: lab.Server, rows: ours.Rows) -> Round:
    """A round of ours: `stored` is when the ledger has every acknowledgement."""
    devices = [pk for pk, _, _ in rows.devices]
    assert server.process is not None
    pid = server.process.pid

    def once() -> dict[str, float]:
        order = ours.play(rows, devices)
        spent = cpu_s(pid)
        begun, heard = one.heard(len(devices), order.send)
        stored = order.stored()
        time.sleep(PAUSE_S)
        return row(begun, heard) | {"stored": ms(stored - begun), "cpu": ms(cpu_s(pid) - spent)}

    return once


def row(begun: float, heard: Heard) -> dict[str, float]:
    """From the sender's call to half of the devices, and to the last."""
    return {"half": ms(heard.half - begun), "last": ms(heard.last - begun)}


@contextmanager
def contestants(count: int, wanted: list[str]) -> Iterator[dict[str, Round]]:
    """Every server with its devices connected."""
    with ExitStack() as held:
        held.enter_context(database())
        rows = ours.filled(count, prefix="bare")
        message = ours.frame_like(rows)
        rounds: dict[str, Round] = {}

        def baseline(name: str, server: baselines.Baseline | None, devices: list[wire.Device]) -> None:
            if server is None:
                print(f"{name} is not installed here: it is left out.", file=sys.stderr)
                return
            one = held.enter_context(fleet(server.port))
            one.connect(devices)
            rounds[name] = of_baseline(one, server, message, count)

        for name, processes in (("ours", 1), (TWO, 2)):
            if name in wanted:
                folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
                server = held.enter_context(ours.server(folder, WEB_CONCURRENCY=str(processes)))
                one = held.enter_context(fleet(server.port))
                part = ours.filled(count, prefix=f"of-{processes}")
                one.connect(list(ours.speakers(part, server.port)))
                rounds[name] = of_ours(one, server, part)
        if "websockets" in wanted:
            server = held.enter_context(baselines.websockets())
            baseline("websockets", server, list(ours.speakers(rows, server.port)))
        if TWO_BARE in wanted:
            server = held.enter_context(baselines.websockets_of_two())
            baseline(TWO_BARE, server, list(ours.speakers(rows, server.port)))
        if "sockets" in wanted:
            server = held.enter_context(baselines.sockets())
            baseline("sockets", server, list(ours.speakers(rows, server.port)))
        if "mosquitto" in wanted:
            server = held.enter_context(baselines.mosquitto())
            baseline(
                "mosquitto",
                server,
                [wire.Subscriber(device_id=device_id) for _, device_id, _ in rows.devices],
            )
        yield rounds


def measured(count: int, rounds: int, wanted: list[str]) -> dict[str, dict[str, float]]:
    """Medians over rounds in which each server has its turn; the first round is not counted."""
    with contestants(count, wanted) as servers:
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
        for number in range(rounds + 1):
            for name, once in servers.items():
                found = once()
                if number:
                    taken[name].append(found)
    return {
        name: {key: round(statistics.median(row[key] for row in rows), 2) for key in rows[0]}
        for name, rows in taken.items()
    }


def main() -> None:
    """Prints one JSON line and a table."""
    known = ["ours", TWO, "websockets", TWO_BARE, "mosquitto", "sockets"]
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--devices", type=int, default=3000)
    options.add_argument("--rounds", type=int, default=11)
    options.add_argument("--only", nargs="*", default=known, help=", ".join(known))
    chosen = options.parse_args()
    raise_file_limit()
    rows = measured(chosen.devices, chosen.rounds, chosen.only)
    mine = rows.get("ours", {}).get("last", float("nan"))
    for row in rows.values():
        row["ours_to_it"] = round(mine / row["last"], 2)
    print(json.dumps({"bench": "broadcast", "devices": chosen.devices, "rounds": chosen.rounds, **rows}))
    print(f"{'':25}{'half ms':>10}{'last ms':>10}{'stored ms':>11}{'server CPU ms':>15}{'ours to it':>12}")
    for name, row in rows.items():
        print(
            f"{name:25}{row['half']:10.1f}{row['last']:10.1f}{row.get('stored', ''):>11}{row['cpu']:15.1f}"
            f"{row['ours_to_it']:12.2f}"
        )
    for one, two in (("ours", TWO), ("websockets", TWO_BARE)):
        if one in rows and two in rows:
            print(
                f"{one}: two processes take {rows[two]['last'] / rows[one]['last']:.2f} times what one takes."
            )


if __name__ == "__main__":
    main()
