"""Receipts of 3,000 devices at once, until each is committed, on PostgreSQL whose commits reach the disk.

Ours: the path of the socket from a decoded `playback_complete` on, through the runtime's batcher to the ledger: the
event is found and locked, the report judged, the row moved, its history told. Baselines in the same run, in turns, each
receipt in its own transaction:

- one `UPDATE` of the same columns by the ORM. It never looks at the row, so it cannot know whether the event is that
  device's own or has ended already: the least that can be said to store a receipt, and no consumer could work so. **It
  is the measure all the same**;
- a `get` and a `save` of these columns, as a consumer has it that knows its row;
- the same under a lock, with one row of history written: all that the ledger owes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import database, execute, multiply, summary, timed  # noqa: E402  # the paths above come first

OURS, UPDATE, SAVE, WHOLE = "batches", "one UPDATE each", "get and save each", "lock, save, history each"


def filled(devices: int) -> list[tuple[int, str]]:
    """A floor with so many speakers, each with one delivered event; answers their keys and events' ids."""
    from announcements.models import Announcement
    from clients.models import Client
    from common import clock
    from common.media_fields import Readiness
    from common.tenancy import system_scope
    from devices.models import Device
    from events.models import PlayEvent
    from zones.models import Floor

    now = clock.now()
    with system_scope("a bench fills the tables"):
        client = Client.objects.create(
            name="Shop", business_name="Shop", email="a@example.com", status="active"
        )
        floor = Floor.objects.create(client=client, name="Ground")
        device = Device.objects.create(client=client, floor=floor, name="Speaker", device_id="s")
        spoken = Announcement.objects.create(
            client=client, title="Words", type="tts", status=Readiness.READY, audio_file="a.mp3",
            mime_type="audio/mpeg", file_size=40_000, duration=5, duration_ms=5_000, sha256="0" * 64,
        )  # fmt: skip
        PlayEvent.objects.create(
            play_id="00000000-0000-0000-0000-000000000001", announcement=spoken, announcement_title="Words",
            device=device, device_name="Speaker", client=client, floor=floor, floor_name="Ground",
            event_type="instant", status="delivered", play_at=now, expires_at=now + timedelta(minutes=1),
            created_at=now, delivered_at=now,
        )  # fmt: skip
    for model in (Device, PlayEvent):
        table = model._meta.db_table
        execute(f"CREATE TEMP TABLE model_{table} AS SELECT * FROM {table}")  # noqa: S608  # our own tables
    execute("TRUNCATE devices CASCADE")
    multiply(Device, devices, id="n", device_id="'s' || n")
    fresh(devices)
    with system_scope("a bench reads what it has filled in"):
        rows = PlayEvent.objects.order_by("device_id").values_list("device_id", "pk")
        return [(device_pk or 0, str(pk)) for device_pk, pk in rows]


def fresh(devices: int) -> None:
    """Every event is delivered and no more, and its tables are as compact as they can be."""
    from events.models import PlayEvent

    execute("TRUNCATE play_events, play_event_changes")
    multiply(PlayEvent, devices, id="lpad(to_hex(n), 32, '0')::uuid", device_id="n")
    execute("VACUUM ANALYZE play_events, play_event_changes")


def receipt(event_id: str, at_us: int) -> Any:
    """A device's word that the announcement was heard to its end."""
    from devices.protocol import PlaybackComplete

    return PlaybackComplete(
        event_id=event_id, outcome="played", started_at=at_us, ended_at=at_us + 5_000_000,
        start_error_us=300, played_ms=5_000,
    )  # fmt: skip


async def in_batches(events: list[tuple[int, str]]) -> None:
    """All receipts through the runtime of a web process, as if they had just been read from the sockets."""
    from common import clock
    from devices.ports import DeviceReport
    from devices.runtime import Runtime

    runtime, now = Runtime(), clock.now()
    messages = [DeviceReport(pk, receipt(event_id, clock.to_us(now)), now) for pk, event_id in events]
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(runtime.report(message) for message in messages))
    TAKEN.append((asyncio.get_running_loop().time() - begun) * 1e3)
    await runtime.stop()


TAKEN: list[float] = []
"""Of each round in batches, without the making and ending of the runtime, ms."""


def moved(at: datetime) -> dict[str, Any]:
    """What a receipt writes into its event's row."""
    return {
        "status": "completed", "outcome": "played", "started_at": at, "completed_at": at,
        "start_error_us": 300, "played_ms": 5_000,
    }  # fmt: skip


def one_update_each(events: list[tuple[int, str]]) -> None:
    """The least that a receipt can cost by the ORM alone."""
    from common import clock
    from common.tenancy import system_scope
    from events.models import PlayEvent

    with system_scope("a bench"):
        for _, event_id in events:
            PlayEvent.objects.filter(pk=event_id).update(**moved(clock.now()))


def one_save_each(events: list[tuple[int, str]]) -> None:
    """A consumer that reads the row, changes it and saves it."""
    from common import clock
    from common.tenancy import system_scope
    from events.models import PlayEvent

    with system_scope("a bench"):
        for _, event_id in events:
            event = PlayEvent.objects.get(pk=event_id)
            changed = moved(clock.now())
            for name, value in changed.items():
                setattr(event, name, value)
            event.save(update_fields=list(changed))


def whole_each(events: list[tuple[int, str]]) -> None:
    """What the ledger owes, one receipt after the other."""
    from django.db import transaction

    from common import clock
    from common.tenancy import system_scope
    from events.models import PlayEvent, PlayEventChange

    with system_scope("a bench"):
        for _, event_id in events:
            with transaction.atomic():
                now = clock.now()
                event = PlayEvent.objects.select_for_update().get(pk=event_id)
                for name, value in moved(now).items():
                    setattr(event, name, value)
                event.save(update_fields=list(moved(now)))
                PlayEventChange.objects.create(event=event, at=now, status=event.status, source="device")


def measured(devices: int, each: int, rounds: int) -> dict[str, list[float]]:
    """Receipts per second of each way, in turns; a first round of all is not counted."""
    from common import memory

    events = filled(devices)
    memory.settle()
    rates: dict[str, list[float]] = {OURS: [], UPDATE: [], SAVE: [], WHOLE: []}
    for _ in range(rounds + 1):
        fresh(devices)
        asyncio.run(in_batches(events))
        assert execute("SELECT 1 FROM play_events WHERE status = 'completed'") == devices
        assert execute("SELECT 1 FROM play_event_changes") == devices
        rates[OURS].append(devices / TAKEN[-1] * 1e3)
        for name, way in ((UPDATE, one_update_each), (SAVE, one_save_each), (WHOLE, whole_each)):
            fresh(devices)
            rates[name].append(each / timed(lambda way=way: way(events[:each])) * 1e3)
    return {name: values[1:] for name, values in rates.items()}


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--devices", type=int, default=3_000)
    options.add_argument("--each", type=int, default=500, help="receipts of a baseline's round")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--not-durable", action="store_true", help="nothing is flushed to the disk")
    chosen = options.parse_args()
    from testing import servers

    with database(settings=servers.THROW_AWAY if chosen.not_durable else servers.DURABLE):
        rates = measured(chosen.devices, chosen.each, chosen.rounds)
    rows = {
        name: {key.replace("_ms", ""): value for key, value in summary(values).items()}
        for name, values in rates.items()
    }
    ratio = {name: round(rows[OURS]["median"] / rows[name]["median"], 1) for name in (UPDATE, SAVE, WHOLE)}
    size = {"devices": chosen.devices, "rounds": chosen.rounds, "durable": not chosen.not_durable}
    print(json.dumps({"bench": "receipts", **size, "per_s": rows, "ratio": ratio}))
    print(f"{'receipts per second':30}{'median':>10}{'least':>10}{'most':>10}{'ratio':>10}")
    for name, row in rows.items():
        beside = f"{ratio[name]:10.1f}" if name in ratio else ""
        print(f"{name:30}{row['median']:10.0f}{row['least']:10.0f}{row['most']:10.0f}{beside}")


if __name__ == "__main__":
    main()
