"""A tick of the scheduler among 100,000 schedules, of which 1,000 are due on ten devices each, on PostgreSQL.

Baseline in the same run, on the same rows: one bare `INSERT INTO play_events SELECT …` of the 10,000 rows that the
tick wrote, into the same table with the same indexes. The tick besides finds what is due, chooses the announcements,
keeps the history of each row and the schedules' next instants, and publishes the orders over Redis.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import database, execute, multiply, summary, timed  # noqa: E402  # the paths above come first

NOW = datetime(2026, 7, 1, 11, 59, tzinfo=UTC)
"""A minute before the 1,000 are due."""
WRITTEN = ("play_events", "play_event_changes", "schedule_occurrences")
BARE = "bare INSERT … SELECT"


def filled(schedules: int, due: int, devices: int) -> None:
    """`schedules`/10 shops, each with one floor, `devices` speakers on it, ten schedules and three announcements.

    The first schedule of each of the first `due` shops is due at noon, all others an hour later or more.
    """
    from announcements.models import Announcement
    from clients.models import Client
    from common.media_fields import Readiness
    from common.tenancy import system_scope
    from devices.models import Device
    from schedules.models import Schedule, ScheduleAnnouncement, ScheduleFloor
    from zones.models import Floor

    shops = schedules // 10
    later = f"'{NOW:%F %T}+00'::timestamptz + interval '1 hour' * (1 + n % 24)"
    with system_scope("a bench fills the tables"):
        client = Client.objects.create(
            name="Shop", business_name="Shop", email="a@example.com", status="active"
        )
        floor = Floor.objects.create(client=client, name="Ground")
        Device.objects.create(client=client, floor=floor, name="Speaker", device_id="s")
        spoken = Announcement.objects.create(
            client=client, title="Words", type="tts", status=Readiness.READY, audio_file="a.mp3",
            mime_type="audio/mpeg", file_size=40_000, duration=5, duration_ms=5_000, sha256="0" * 64,
        )  # fmt: skip
        rule = Schedule.objects.create(
            client=client, name="Hourly", schedule_type="interval", interval_minutes=60
        )
        ScheduleAnnouncement.objects.create(schedule=rule, announcement=spoken)
        ScheduleFloor.objects.create(schedule=rule, floor=floor)
    models = (Client, Floor, Device, Announcement, Schedule, ScheduleFloor, ScheduleAnnouncement)
    for model in models:
        table = model._meta.db_table
        execute(f"CREATE TEMP TABLE model_{table} AS SELECT * FROM {table}")  # noqa: S608  # our own tables
    execute("TRUNCATE clients CASCADE")
    multiply(Client, shops, id="n", email="'s' || n || '@example.com'")
    multiply(Floor, shops, id="n", client_id="n")
    multiply(
        Device, shops * devices, id="n", device_id="'s' || n",
        client_id=f"1 + (n - 1) / {devices}", floor_id=f"1 + (n - 1) / {devices}",
    )  # fmt: skip
    multiply(Announcement, shops * 3, id="n", client_id="1 + (n - 1) / 3", sha256="lpad(n::text, 64, '0')")
    multiply(
        Schedule, schedules, id="n", client_id=f"1 + (n - 1) % {shops}",
        planned_until=f"CASE WHEN n <= {due} THEN '{NOW + timedelta(minutes=1):%F %T}+00' ELSE {later} END",
    )  # fmt: skip
    multiply(ScheduleFloor, schedules, id="n", schedule_id="n", floor_id=f"1 + (n - 1) % {shops}")
    multiply(
        ScheduleAnnouncement, schedules * 3, id="n", schedule_id="1 + (n - 1) / 3",
        announcement_id=f"1 + 3 * ((n - 1) / 3 % {shops}) + n % 3",
    )  # fmt: skip
    execute("VACUUM ANALYZE")


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--schedules", type=int, default=100_000)
    options.add_argument("--due", type=int, default=1_000)
    options.add_argument("--devices", type=int, default=10)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--profile", action="store_true", help="one tick more, with where its time goes")
    chosen = options.parse_args()
    with database():
        filled(chosen.schedules, chosen.due, chosen.devices)
        rows = measured(chosen.rounds, chosen.due * chosen.devices)
        if chosen.profile:
            profiled()
    ratio = rows["tick"]["median_ms"] / rows[BARE]["median_ms"]
    size = {"schedules": chosen.schedules, "due": chosen.due, "events": chosen.due * chosen.devices}
    print(json.dumps({"bench": "tick", **size, "rounds": chosen.rounds, **rows, "ratio": round(ratio, 2)}))
    print(f"{'':34}{'median ms':>12}{'least':>10}{'most':>10}")
    for name, row in rows.items():
        print(f"{name:34}{row['median_ms']:12.1f}{row['least_ms']:10.1f}{row['most_ms']:10.1f}")
    print(f"{'ratio':34}{ratio:12.2f}")


def measured(rounds: int, events: int) -> dict[str, dict[str, float]]:
    """Ticks and bare inserts in turn, each into empty tables; a first round of all is not counted."""
    from common import memory
    from schedules.airing import plan_ahead

    memory.settle()
    execute("CREATE TEMP TABLE planned AS SELECT id, planned_until FROM schedules")
    taken: dict[str, list[float]] = {"nothing due": [], "tick": [], BARE: [], f"{BARE}, three tables": []}
    written: list[int] = []
    for _ in range(rounds + 1):
        reset()
        taken["tick"].append(timed(lambda: written.append(plan_ahead(now=NOW))))
        taken["nothing due"].append(timed(lambda: plan_ahead(now=NOW)))
        for table in WRITTEN:
            execute(f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}")  # noqa: S608  # our own tables
        wipe()
        taken[BARE].append(timed(lambda: bare("play_events")))
        wipe()
        taken[f"{BARE}, three tables"].append(timed(lambda: [bare(table) for table in WRITTEN]))
        execute(f"DROP TABLE {', '.join(f'kept_{table}' for table in WRITTEN)}")
    assert written == [events] * (rounds + 1), written
    return {name: summary(values[1:]) for name, values in taken.items()}


def reset() -> None:
    """As before the tick."""
    wipe()
    execute(
        "UPDATE schedules s SET planned_until = p.planned_until FROM planned p"
        " WHERE s.id = p.id AND s.planned_until IS DISTINCT FROM p.planned_until"
    )
    execute("VACUUM ANALYZE schedules")


def wipe() -> None:
    """Empties what a tick writes."""
    execute(f"TRUNCATE {', '.join(WRITTEN)}")


def bare(table: str) -> int:
    """The rows that the tick wrote, once more, by one statement; how many."""
    return execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")  # noqa: S608  # our own tables


def profiled() -> None:
    """Where the time of one tick goes."""
    from schedules.airing import plan_ahead

    reset()
    profile = cProfile.Profile()
    profile.runcall(plan_ahead, now=NOW)
    stats = pstats.Stats(profile, stream=sys.stderr)
    stats.sort_stats("cumulative").print_stats(45).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
