"""What `/metrics` reads from PostgreSQL, with 1,000,000 plays on the record and with none.

Baseline in the same run: the same reading of the same fleet (10,000 speakers, 20,000 schedules) before those plays were
written. 2,000 plays are open either way.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import database, execute, multiply, summary, timed  # noqa: E402  # the paths above come first

DEVICES, SCHEDULES, OPEN = 10_000, 20_000, 2_000


def filled() -> None:
    """A fleet of DEVICES and SCHEDULES, and what is open."""
    from clients.models import Client
    from common import clock
    from common.tenancy import system_scope
    from devices.models import Device
    from events.models import PlayEvent
    from schedules.models import Schedule

    now = clock.now()
    with system_scope("a bench fills the tables"):
        client = Client.objects.create(name="S", business_name="S", email="a@example.com", status="active")
        Device.objects.create(client=client, name="Speaker", device_id="s", last_seen=now)
        Schedule.objects.create(
            client=client, name="Hourly", schedule_type="interval", interval_minutes=60, planned_until=now
        )
        PlayEvent.objects.create(
            play_id="00000000-0000-5000-8000-000000000001", client=client, event_type="scheduled",
            priority="interval", play_at=now, expires_at=now, created_at=now,
        )  # fmt: skip
    for model in (Device, Schedule, PlayEvent):
        table = model._meta.db_table
        execute(f"CREATE TEMP TABLE model_{table} AS SELECT * FROM {table}")  # noqa: S608  # our own tables
    multiply(
        Device,
        DEVICES,
        id="n + 1",
        device_id="'s' || n",
        last_seen="now() - interval '1 millisecond' * n * 9",
    )
    multiply(Schedule, SCHEDULES, id="n + 1", planned_until="now() + interval '1 second' * (90 + n)")
    plays(PlayEvent, OPEN, "pending", first=1)


def plays(model: object, count: int, status: str, *, first: int) -> None:
    """So many plays in that state, of the last month."""
    multiply(
        model, count, id=f"lpad(to_hex({first} + n), 32, '0')::uuid", status=f"'{status}'",
        created_at="now() - interval '2 second' * n", expires_at="now() - interval '2 second' * n",
    )  # fmt: skip


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=15)
    chosen = options.parse_args()
    with database():
        from common import clock
        from core.figures import of_database
        from events.models import PlayEvent

        def read() -> None:
            assert len(list(of_database(clock.now()))) > 10

        filled()
        execute("VACUUM ANALYZE")
        taken = {"none": [timed(read) for _ in range(chosen.rounds + 1)][1:]}
        plays(PlayEvent, chosen.events, "completed", first=OPEN + 1)
        execute("VACUUM ANALYZE")
        taken["many"] = [timed(read) for _ in range(chosen.rounds + 1)][1:]
    rows = {name: summary(values) for name, values in taken.items()}
    ratio = rows["many"]["median_ms"] / rows["none"]["median_ms"]
    print(
        json.dumps(
            {"bench": "scrape", "events": chosen.events, "devices": DEVICES, **rows, "ratio": round(ratio, 2)}
        )
    )
    print(f"{'plays on the record':34}{'median ms':>12}{'least':>10}{'most':>10}")
    for name, row in zip((f"{OPEN:,}", f"{chosen.events + OPEN:,}"), rows.values(), strict=True):
        print(f"{name:34}{row['median_ms']:12.1f}{row['least_ms']:10.1f}{row['most_ms']:10.1f}")
    print(f"{'ratio':34}{ratio:12.2f}")


if __name__ == "__main__":
    main()
