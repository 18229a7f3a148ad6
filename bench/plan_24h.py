"""A speaker's plan of the next day: a playlist of 500 tracks and ten announcements, and twenty schedules.

Fetched as a speaker fetches it, by `GET /api/devices/{id}/plan/` with its token, on PostgreSQL: cold in a process that
has made no plan for this floor yet; warm for the same speaker and for the next one; and 304 for one that has it.
Baseline in the same run: one SELECT of the rows behind the plan's sounds, and the same document written as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import database, django_on, summary, timed  # noqa: E402  # the paths above come first

TRACKS, SPOKEN, SCHEDULES = 500, 10, 20
REAL, SMALL = "real", "small"


def shop(tracks: int, spoken: int, schedules: int) -> list[tuple[int, str]]:
    """A floor with a playlist and schedules; answers the keys and tokens of its two speakers."""
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
        name = f"{tracks}@example.com"
        client = Client.objects.create(name=name, business_name=name, email=name, status="active")
        admin = User.everyone.create_user(
            username=name, email=name, password=name, role="client", client=client
        )
        floor = Floor.objects.create(client=client, name="Ground", timezone="Europe/London")
        floor.quiet_hours_start, floor.quiet_hours_end = "22:00", "07:00"
        floor.save()
        speakers = [
            Device.objects.create(client=client, floor=floor, name=f"S{i}", device_id=f"{tracks}-{i}")
            for i in range(2)
        ]
        music = [
            support.tracks(client, 1, duration_ms=rng.randint(120, 300) * 1000)[0] for _ in range(tracks)
        ]
        words: list[Any] = [support.words(client, seconds=rng.randint(5, 25)) for _ in range(spoken)]
        playlist = services.create_playlist(
            client=client, by=admin, name="All day", items=[Entry(sound) for sound in [*music, *words]]
        )
        services.assign_floors(playlist=playlist, assignments=[Assignment(floor)])
        for number in range(schedules):
            timeline = number % 4 == 3
            rule = Schedule.objects.create(
                client=client, name=f"R{number}", schedule_type="timeline" if timeline else "interval",
                interval_minutes=None if timeline else rng.choice((15, 20, 30, 45, 60, 90, 120)),
                cycle_duration_minutes=rng.choice((60, 120, 480)) if timeline else None,
            )  # fmt: skip
            ScheduleFloor.objects.create(schedule=rule, floor=floor)
            for announcement in rng.sample(words, min(3, spoken)):
                second = rng.randrange(3600) if timeline else None
                ScheduleAnnouncement.objects.create(
                    schedule=rule, announcement=announcement, timestamp_seconds=second
                )
        renewal.renew(now=clock.now() - timedelta(days=1))
        return [(speaker.pk, rotate_token(device=speaker)) for speaker in speakers]


def fetch(speaker: tuple[int, str], etag: str = "") -> Any:
    """One GET of a speaker's plan, through the whole of Django in this process."""
    from django.test import Client

    pk, token = speaker
    headers = {"Authorization": f"Bearer {token}", "If-None-Match": etag}
    answer = Client().get(f"/api/devices/{pk}/plan/", headers=headers)
    assert answer.status_code == (304 if etag else 200), answer.content
    return answer


def first_time(speakers: dict[str, list[tuple[int, str]]]) -> float:
    """Milliseconds of the first plan of a floor in a process that is otherwise at work."""
    for _ in range(3):
        fetch(speakers[SMALL][0])
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

    speakers = {SMALL: shop(1, 1, 1), REAL: shop(TRACKS, SPOKEN, SCHEDULES)}
    cold = [in_a_fresh_process(speakers) for _ in range(max(3, rounds // 5))]
    first_time(speakers)
    answer = fetch(speakers[REAL][0])
    document = json.loads(answer.content)
    taken: dict[str, list[float]] = {"warm": [], "next speaker": [], "304": [], "bare": []}
    for _ in range(rounds):
        taken["warm"].append(timed(lambda: fetch(speakers[REAL][0])))
        taken["next speaker"].append(timed(lambda: fetch(speakers[REAL][1])))
        taken["304"].append(timed(lambda: fetch(speakers[REAL][0], answer["ETag"])))
        taken["bare"].append(timed(lambda: bare(document)))
    size = {name: len(document[name]) for name in ("programme", "occurrences", "assets")}
    size["bytes"] = len(msgspec.json.encode(document))
    return size, {name: summary(values) for name, values in {"cold": cold, **taken}.items()}


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=25)
    options.add_argument("--speakers", type=json.loads, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.speakers:
        django_on()
        print(first_time(chosen.speakers))
        return
    begun = time.monotonic()
    with database():
        size, rows = measured(chosen.rounds)
    ratio = {name: round(rows[name]["median_ms"] / rows["bare"]["median_ms"], 1) for name in ("cold", "warm")}
    took = round(time.monotonic() - begun, 1)
    print(json.dumps({"bench": "plan_24h", **size, **rows, "ratio": ratio, "took_s": took}))
    print(", ".join(f"{count:,} {name}" for name, count in size.items()))
    print(f"{'':16}{'median ms':>12}{'least':>10}{'most':>10}")
    for name, row in rows.items():
        print(f"{name:16}{row['median_ms']:12.2f}{row['least_ms']:10.2f}{row['most_ms']:10.2f}")


if __name__ == "__main__":
    main()
