"""A speaker's plan of the next day: a playlist of 500 tracks and ten announcements, and twenty schedules.

Fetched as a speaker fetches it, by `GET /api/devices/{id}/plan/` with its token, on PostgreSQL and Valkey: cold in a
process that has made no plan for this floor yet, when nothing is kept; anew in one that has; warm for the next speaker
of a floor; and 304 for one that has it. Baseline in the same run: one SELECT of the rows behind the plan's sounds, and
the same document written as JSON. Each with what it takes of the processor, in Python and without PostgreSQL's own.

Then 500 speakers of 50 floors ask at once, as after a restart of everything: when nothing is kept, as their server
just began; when the plans of the hour are kept; and when theirs still hold.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import database, django_on, summary, timed  # noqa: E402  # the paths above come first

TRACKS, SPOKEN, SCHEDULES = 500, 10, 20
FLOORS, BESIDE = 50, 10
"""Of those who ask at once, and speakers on each."""
AT_ONCE = 8
"""Requests that a web process has in hand at the same time."""
REAL, SMALL = "real", "small"


def shop(tracks: int, spoken: int, schedules: int) -> list[tuple[int, str]]:
    """A floor with a playlist and schedules; answers the keys and tokens of its two speakers."""
    return shops(tracks, spoken, schedules, floors=1, beside=2)[0]


def shops(
    tracks: int, spoken: int, schedules: int, *, floors: int, beside: int
) -> list[list[tuple[int, str]]]:
    """A business whose floors share a playlist and schedules; the keys and tokens of each floor's speakers."""
    from clients.models import Client
    from common import clock
    from common.tenancy import system_scope
    from devices.models import Device
    from devices.services import rotate_token
    from playlists import renewal, services
    from playlists.services import Assignment, Entry
    from playlists.tests import support
    from schedules.models import Schedule, ScheduleAnnouncement, ScheduleFloor
    from users.models import User
    from zones.models import Floor

    rng = Random(tracks)  # noqa: S311  # chance that can be repeated, no secret
    with system_scope("a bench fills the tables"):
        name = f"{tracks}x{floors}@example.com"
        client = Client.objects.create(name=name, business_name=name, email=name, status="active")
        admin = User.everyone.create_user(
            username=name, email=name, password=name, role="client", client=client
        )
        places = [
            Floor.objects.create(
                client=client,
                name=f"Floor {i}",
                timezone="Europe/London",
                quiet_hours_start=dt.time(22),
                quiet_hours_end=dt.time(7),
            )
            for i in range(floors)
        ]
        speakers = [
            [
                Device.objects.create(client=client, floor=floor, name=f"S{i}", device_id=f"{floor.pk}-{i}")
                for i in range(beside)
            ]
            for floor in places
        ]
        music = [
            support.tracks(client, 1, duration_ms=rng.randint(120, 300) * 1000)[0] for _ in range(tracks)
        ]
        words: list[Any] = [support.words(client, seconds=rng.randint(5, 25)) for _ in range(spoken)]
        playlist = services.create_playlist(
            client=client, by=admin, name="All day", items=[Entry(sound) for sound in [*music, *words]]
        )
        services.assign_floors(playlist=playlist, assignments=[Assignment(floor) for floor in places])
        for number in range(schedules):
            timeline = number % 4 == 3
            rule = Schedule.objects.create(
                client=client, name=f"R{number}", schedule_type="timeline" if timeline else "interval",
                interval_minutes=None if timeline else rng.choice((15, 20, 30, 45, 60, 90, 120)),
                cycle_duration_minutes=rng.choice((60, 120, 480)) if timeline else None,
            )  # fmt: skip
            ScheduleFloor.objects.bulk_create(ScheduleFloor(schedule=rule, floor=floor) for floor in places)
            for announcement in rng.sample(words, min(3, spoken)):
                second = rng.randrange(3600) if timeline else None
                ScheduleAnnouncement.objects.create(
                    schedule=rule, announcement=announcement, timestamp_seconds=second
                )
        renewal.renew(now=clock.now() - dt.timedelta(days=1))
        return [[(each.pk, rotate_token(device=each)) for each in there] for there in speakers]


def fetch(speaker: tuple[int, str], etag: str = "") -> Any:
    """One GET of a speaker's plan, through the whole of Django in this process."""
    from django.test import Client

    pk, token = speaker
    headers = {"Authorization": f"Bearer {token}", "If-None-Match": etag}
    answer = Client().get(f"/api/devices/{pk}/plan/", headers=headers)
    assert answer.status_code in {200, 304 if etag else 200}, answer.content  # a play may have expired since
    return answer


def first_time(speakers: dict[str, list[tuple[int, str]]]) -> float:
    """Milliseconds of the first plan of a floor in a process that is otherwise at work."""
    from django.core.cache import cache

    for _ in range(3):
        fetch(speakers[SMALL][0])
    cache.clear()  # what another process has kept
    return timed(lambda: fetch(speakers[REAL][0]))


def in_a_fresh_process(speakers: dict[str, list[tuple[int, str]]]) -> float:
    """`first_time` in a process of its own on the same database."""
    command = [sys.executable, __file__, "--speakers", json.dumps(speakers)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def bare(document: Any) -> bytes:
    """What cannot be saved: the rows behind the sounds by one SELECT, and the document as JSON."""
    import msgspec
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, sha256, file_size, mime_type, duration_ms, gain_db, name, artist FROM music_files"
        )
        cursor.fetchall()
    return msgspec.json.encode(document)


def measured(rounds: int) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """What the plan holds, and how long each way to it takes."""
    import msgspec
    from django.core.cache import cache

    speakers = {SMALL: shop(1, 1, 1), REAL: shop(TRACKS, SPOKEN, SCHEDULES)}
    cold = [in_a_fresh_process(speakers) for _ in range(max(3, rounds // 5))]
    one, other = speakers[REAL]
    first_time(speakers)
    document = json.loads(fetch(one).content)
    taken: dict[str, list[float]] = {"anew": [], "next speaker": [], "304": [], "bare": []}
    worked: dict[str, list[float]] = {name: [] for name in taken}
    for _ in range(rounds):
        etag = fetch(one)["ETag"]
        ways = {
            "anew": lambda: fetch(one),
            "next speaker": lambda: fetch(other),
            "304": lambda etag=etag: fetch(one, etag),
            "bare": lambda: bare(document),
        }
        for name, way in ways.items():
            if name == "anew":
                cache.clear()
            begun = time.process_time()
            taken[name].append(timed(way))
            worked[name].append((time.process_time() - begun) * 1e3)
    size = {name: len(document[name]) for name in ("programme", "occurrences", "assets")}
    size["bytes"] = len(msgspec.json.encode(document))
    figures = {name: summary(values) for name, values in {"cold": cold, **taken}.items()}
    for name, values in worked.items():
        figures[name]["cpu_ms"] = round(statistics.median(values), 2)
    return size, figures


def all_at_once(rounds: int) -> dict[str, dict[str, float]]:
    """How long FLOORS x BESIDE speakers wait that ask at the same moment, and what it takes of the processor."""
    from django.core.cache import cache
    from django.db import connection

    speakers = [each for floor in shops(60, 5, 8, floors=FLOORS, beside=BESIDE) for each in floor]
    Random(7).shuffle(speakers)  # noqa: S311  # chance that can be repeated, no secret

    def asks(speaker: tuple[int, str], etag: str) -> str:
        try:
            return str(fetch(speaker, etag)["ETag"])
        finally:
            connection.close()

    def ask(etags: list[str]) -> tuple[list[str], dict[str, float]]:
        begun, worked = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            told = list(threads.map(asks, speakers, etags))
        cpu = (time.process_time() - worked) / len(speakers)
        return told, {"s": time.perf_counter() - begun, "cpu_ms": cpu * 1e3}

    unknown = [""] * len(speakers)
    found: dict[str, list[dict[str, float]]] = {"nothing is kept": [], "kept": [], "theirs hold": []}
    for _ in range(rounds):
        cache.clear()
        found["nothing is kept"].append(ask(unknown)[1])
        etags, kept = ask(unknown)
        found["kept"].append(kept)
        found["theirs hold"].append(ask(etags)[1])
    return {
        name: {unit: round(statistics.median(row[unit] for row in rows), 2) for unit in ("s", "cpu_ms")}
        for name, rows in found.items()
    }


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=25)
    options.add_argument("--crowds", type=int, default=3, help="rounds of those who ask at once; 0 for none")
    options.add_argument("--speakers", type=json.loads, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.speakers:
        django_on()
        print(first_time(chosen.speakers))
        return
    begun = time.monotonic()
    with database():
        size, rows = measured(chosen.rounds)
        crowd = all_at_once(chosen.crowds) if chosen.crowds else {}
    ratio = {name: round(rows[name]["median_ms"] / rows["bare"]["median_ms"], 1) for name in ("cold", "anew")}
    took = round(time.monotonic() - begun, 1)
    print(json.dumps({"bench": "plan_24h", **size, **rows, "ratio": ratio, "at_once": crowd, "took_s": took}))
    print(", ".join(f"{count:,} {name}" for name, count in size.items()))
    print(f"{'':16}{'median ms':>12}{'least':>10}{'most':>10}{'of the processor':>20}")
    for name, row in rows.items():
        cpu = f"{row['cpu_ms']:20.2f}" if "cpu_ms" in row else ""
        print(f"{name:16}{row['median_ms']:12.2f}{row['least_ms']:10.2f}{row['most_ms']:10.2f}{cpu}")
    if crowd:
        print(f"\n{FLOORS * BESIDE} speakers of {FLOORS} floors at once, {AT_ONCE} in hand:")
    for name, row in crowd.items():
        print(f"{name:16}{row['s']:8.2f} s until the last, {row['cpu_ms']:6.2f} ms of the processor for each")


if __name__ == "__main__":
    main()
