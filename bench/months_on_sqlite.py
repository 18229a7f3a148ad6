"""What one process on SQLite does every few seconds, and what people ask it for, after 100,000 plays and after 1,000.

Baseline in the same run: the same work of the same shop (20 speakers of a floor, one announcement) when it had 1,000
plays behind it. SQLite plans by the shape of a statement, so what reads all that was ever played shows here.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import summary, timed  # noqa: E402  # the paths above come first

SPEAKERS = 20
FEW, MANY = 1_000, 100_000
APART = timedelta(minutes=2)
"""Between two plays of a speaker."""


def shop(now: datetime) -> Any:
    """A floor with SPEAKERS and words, and somebody who asks; answers the floor."""
    from clients.models import Client
    from common.tenancy import system_scope
    from devices.models import Device
    from playlists.tests import support
    from users.models import User
    from zones.models import Floor

    with system_scope("a bench fills the tables"):
        client = Client.objects.create(
            name="Shop", business_name="Shop", email="s@example.com", status="active"
        )
        floor = Floor.objects.create(client=client, name="Ground floor")
        User.everyone.create_user("s@example.com", email="s@example.com", role="client", client=client)
        for number in range(SPEAKERS):
            Device.objects.create(
                client=client, floor=floor, name=f"S{number}", device_id=f"s{number}", last_seen=now
            )
        support.words(client, seconds=5)
        return floor


def played(floor: Any, first: int, last: int, now: datetime) -> None:
    """Writes the plays `first` to `last`, counted from the newest, on each speaker in turn."""
    from announcements.models import Announcement
    from common.tenancy import system_scope
    from devices.models import Device
    from events.models import PlayEvent

    with system_scope("a bench fills the tables"):
        words = Announcement.objects.get()
        speakers = list(Device.objects.all())
        rows = []
        for number in range(first, last):
            at = now - APART * (1 + number // SPEAKERS)
            rows.append(
                PlayEvent(
                    play_id=uuid.uuid4(),
                    announcement=words,
                    announcement_title=words.title,
                    device=speakers[number % SPEAKERS],
                    device_name="S",
                    client_id=floor.client_id,
                    floor=floor,
                    floor_name=floor.name,
                    event_type="scheduled",
                    priority="interval",
                    status="completed",
                    play_at=at,
                    expires_at=at + timedelta(seconds=2),
                    created_at=at - timedelta(seconds=90),
                )
            )
        PlayEvent.objects.bulk_create(rows, batch_size=500)


def works(floor: Any, now: datetime) -> dict[str, Callable[[], Any]]:
    """What is measured, by name."""
    from django.core.cache import cache
    from rest_framework.test import APIClient

    from devices.models import Device
    from events.delivery import EventLedger
    from events.sweeper import sweep
    from schedules import airing
    from users.models import User

    speakers = list(Device._base_manager.values_list("pk", flat=True))
    api = APIClient()
    api.force_authenticate(User.everyone.get())

    def asked(url: str) -> None:
        answer = api.get(url)
        assert answer.status_code == 200, answer.content

    def plan() -> None:
        cache.clear()  # so that it is built anew
        asked(f"/api/devices/{speakers[3]}/plan/")

    ledger = EventLedger()
    return {
        "plays that nobody answered for are closed (every 5 s)": lambda: sweep(now=now),
        "what 20 speakers have not acknowledged (every 5 s)": lambda: ledger.due(
            speakers, reconnected=False, now=now
        ),
        "the same of one that connects": lambda: ledger.due(speakers[:1], reconnected=True, now=now),
        "a tick that finds nothing due": lambda: airing.plan_ahead(now=now),
        "a speaker's plan, built anew": plan,
        "the newest 50 plays": partial(asked, "/api/play-events/"),
        "of a speaker": partial(asked, f"/api/play-events/?device={speakers[3]}"),
        "of a speaker that failed: none": partial(
            asked, f"/api/play-events/?device={speakers[3]}&status=failed"
        ),
        "all that failed: none": partial(asked, "/api/play-events/?status=failed"),
    }


def medians(wanted: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Milliseconds of each; a first round is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in wanted}
    for _ in range(rounds + 1):
        for name, work in wanted.items():
            taken[name].append(timed(work))
    return {name: summary(values[1:])["median_ms"] for name, values in taken.items()}


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--plays", type=int, default=MANY)
    chosen = options.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "testing.embedded"
    import django
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment()
    call_command("migrate", verbosity=0)
    logging.disable(logging.INFO)
    from common import clock

    now = clock.now()
    floor = shop(now)
    played(floor, 0, FEW, now)
    wanted = works(floor, now)
    before = medians(wanted, chosen.rounds)
    played(floor, FEW, chosen.plays, now)
    after = medians(wanted, chosen.rounds)
    rows = {
        name: {"few_ms": before[name], "many_ms": after[name], "ratio": round(after[name] / before[name], 2)}
        for name in wanted
    }
    line = {"bench": "months_on_sqlite", "few": FEW, "many": chosen.plays, "rounds": chosen.rounds}
    print(json.dumps(line | {"works": rows}))
    print(f"{'':56}{f'{FEW:,}':>10}{f'{chosen.plays:,}':>10}{'ratio':>8}")
    for name, row in rows.items():
        print(f"{name:56}{row['few_ms']:10.1f}{row['many_ms']:10.1f}{row['ratio']:8.2f}")


if __name__ == "__main__":
    main()
