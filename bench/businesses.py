"""What bends when businesses grow from 10 to 100 to 1,000: lists, an instant play, a plan, a tick; each a median.

Each business has two floors, ten speakers, an hourly schedule for each floor, and the same past: 500 plays, 500
audit entries, 200 lines of the licence log. So what a business asks for should cost the same however many others there
are; what staff ask for, and a tick, is about all of them. Each size has a database of its own on PostgreSQL; requests
are made in this process, without HTTP.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import database, execute, timed  # noqa: E402  # the paths above come first
from ground.millions import NOW, Size, filled  # noqa: E402

SIZES = (10, 100, 1_000)
LISTS = ("devices", "floors", "schedules", "announcements", "play-events", "audit-logs")
OF_ALL = ("clients", "devices", "play-events", "audit-logs")
"""What staff look through without choosing a business."""
PLAN, PLAN_304, PLAY = "plan, built anew", "plan, 304", "instant play on a floor"
TICK, IDLE = "tick, for each schedule that is due", "tick, nothing due"


def asked(shop: int) -> dict[str, Callable[[], Any]]:
    """Every request by its name, of the business with this key; the last speaker of its first floor asks for a plan."""
    from django.core.cache import cache
    from django.test import Client as Browser
    from rest_framework.test import APIClient

    from common.tenancy import system_scope
    from devices.models import Device
    from devices.services import rotate_token
    from users.models import User

    admin, staff = APIClient(), APIClient()
    admin.force_authenticate(User.everyone.get(pk=shop))
    name = "staff@example.com"
    staff.force_authenticate(User.everyone.create_superuser(name, email=name, role="admin"))
    with system_scope("a bench"):
        token = rotate_token(device=Device.objects.get(pk=shop * 10 - 5))
    bearer = {"Authorization": f"Bearer {token}"}
    plan = f"/api/devices/{shop * 10 - 5}/plan/"
    etag = Browser().get(plan, headers=bearer)["ETag"]

    def anew() -> Any:
        cache.clear()
        return Browser().get(plan, headers=bearer)

    return {
        **{f"{each} of a business": lambda each=each: admin.get(f"/api/{each}/") for each in LISTS},
        **{f"{each} of all": lambda each=each: staff.get(f"/api/{each}/") for each in OF_ALL},
        PLAY: lambda: admin.post(
            f"/api/announcements/{shop * 5}/play/", {"floors": [shop * 2 - 1]}, format="json"
        ),
        PLAN: anew,
        PLAN_304: lambda: Browser().get(plan, headers=bearer | {"If-None-Match": etag}),
    }


def ticks(clients: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of ticks to which all schedules are due, for each of them; and of ticks that find nothing."""
    from schedules.airing import plan_ahead

    found: dict[str, list[float]] = {TICK: [], IDLE: []}
    for hour in range(1, rounds + 2):
        due = NOW + timedelta(hours=hour)
        execute(f"UPDATE schedules SET planned_until = '{due:%F %T}+00'")  # noqa: S608  # our own names
        execute("VACUUM ANALYZE schedules")
        written: list[int] = []
        taken = timed(
            lambda due=due, written=written: written.append(plan_ahead(now=due - timedelta(minutes=1)))
        )
        assert written == [clients * 10], written
        found[TICK].append(taken / (clients * 2))
        found[IDLE].append(timed(lambda due=due: plan_ahead(now=due - timedelta(minutes=1))))
    return {name: values[1:] for name, values in found.items()}


def measured(clients: int, rounds: int) -> dict[str, float]:
    """Every median at this size, in milliseconds."""
    found: dict[str, list[float]] = {}
    with database():
        filled(
            Size(clients=clients, events=clients * 500, history=0, audit=clients * 500, music=clients * 200)
        )
        execute(
            'INSERT INTO schedule_announcements (schedule_id, announcement_id, "order")'
            " SELECT id, client_id * 5, 0 FROM schedules"
        )
        execute("ANALYZE schedule_announcements")
        for name, ask in asked(clients // 2).items():
            statuses = {ask().status_code for _ in range(2)}
            assert statuses <= {200, 202, 304}, (name, statuses)
            found[name] = [timed(ask) for _ in range(rounds)]
        found |= ticks(clients, rounds)
    return {name: round(statistics.median(values), 3) for name, values in found.items()}


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--clients", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.clients:
        print(json.dumps(measured(chosen.clients, chosen.rounds)))
        return
    found = {}
    for size in SIZES:
        command = [sys.executable, __file__, "--clients", str(size), "--rounds", str(chosen.rounds)]
        found[size] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    rows = {name: [found[size][name] for size in SIZES] for name in found[SIZES[0]]}
    print(json.dumps({"bench": "businesses", "businesses": SIZES, "ms": rows}))
    print(f"{'businesses':40}" + "".join(f"{size:>12,}" for size in SIZES) + f"{'grows by':>12}")
    for name, row in sorted(rows.items(), key=lambda each: -each[1][-1] / each[1][0]):
        print(f"{name:40}" + "".join(f"{each:12.2f}" for each in row) + f"{row[-1] / row[0]:12.2f}")


if __name__ == "__main__":
    main()
