"""A walk over every GET route of the API and every list of Django's admin, over the rows of years; prints the slowest.

10,000 speakers of 1,000 businesses with millions of plays, audit entries and lines of the licence log: whatever takes
longer than SLOW would be felt. Each is asked as sync2gear's staff and as a business's admin, in this process, without
HTTP; the median of `--rounds` counts.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import database, timed  # noqa: E402  # the paths above come first
from ground.millions import LASTING, Size, arguments, filled  # noqa: E402

SLOW = 100.0
"""Milliseconds."""
SHOP = 500
"""The business that is looked at; its things have keys that follow from it."""
FILTERS = {
    "/api/play-events/": (
        "client={client}", "floor={floor}", "device={device}", "announcement={announcement}", "status=failed",
        "status=pending", "reason=decode_failed", "client={client}&reason=decode_failed", "type=instant",
        "from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z", "ordering=-play_at", "search=till",
        "client={client}&from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z",
        "client={client}&status=pending", "client={client}&search=nowhere",
        "floor={floor}&from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z",
    ),
    "/api/audit-logs/": (
        "client={client}", "action=play", "resource=device&resource_id=7", "user={client}", "request_id=nobody",
        "from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z", "client={client}&search=nowhere",
    ),
    "/api/devices/": ("client={client}", "floor={floor}", "search=9999", "status=online"),
    "/api/clients/": ("search=999",),
}  # fmt: skip
"""Besides each list as it is."""
PARAMETERS = {"format": "csv", "month": "2026-05"}


def keys() -> dict[str, str]:
    """The keys of one business's things, by the word of the route."""
    floor = SHOP * 2 - 1
    return {
        "client": str(SHOP), "user": str(SHOP), "floor": str(floor), "device": str(SHOP * 10 - 9),
        "announcement": str(SHOP * 5), "music": str(SHOP * 5), "schedule": str(floor), "webhook": str(SHOP),
    }  # fmt: skip


def routes() -> Iterator[str]:
    """Every GET of the API's description that is answered with JSON, with its keys filled in."""
    from common.openapi import ScopedSchemaGenerator

    of = keys()
    words = {
        "floors": "floor", "devices": "device", "clients": "client", "users": "user", "music": "music",
        "announcements": "announcement", "schedules": "schedule", "webhooks": "webhook",
    }  # fmt: skip
    for path, operations in ScopedSchemaGenerator().get_schema(request=None, public=True)["paths"].items():
        if "get" not in operations or "download" in path or "stream" in path or "preview" in path:
            continue
        parts = path.strip("/").split("/")
        for place, part in enumerate(parts):
            if part.startswith("{"):
                parts[place] = of.get(words.get(parts[place - 1], ""), "1")
        yield f"/{'/'.join(parts)}/"


def asked() -> list[tuple[str, Callable[[], Any]]]:
    """Name and request of everything that is measured."""
    from django.contrib import admin
    from django.test import Client as Browser
    from django.urls import reverse
    from rest_framework.test import APIClient

    from users.models import User

    staff = User.everyone.filter(is_superuser=True).first() or User.everyone.create_superuser(
        "staff@example.com", email="staff@example.com", role="admin"
    )
    found: list[tuple[str, Callable[[], Any]]] = []
    for who, person in (("staff", staff), ("shop", User.everyone.get(pk=SHOP))):
        api = APIClient()
        api.force_authenticate(person)
        for route in routes():
            for query in ("", *(each.format(**keys()) for each in FILTERS.get(route, ()))):
                url = f"{route}?{query}" if query else route
                options = PARAMETERS | {"client": str(SHOP)} if "licence-log" in route else {}
                if "export" in route:
                    options = {"from": "2026-02-01T00:00:00Z", "to": "2026-02-02T00:00:00Z"}
                found.append(
                    (f"{who} {url}", lambda api=api, url=url, options=options: api.get(url, options or None))
                )
    browser = Browser()
    browser.force_login(staff)
    for model in admin.site._registry:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        found.append((f"admin {url}", lambda url=url: browser.get(url)))
        found.append((f"admin {url}?q=till", lambda url=url: browser.get(url, {"q": "till"})))
    found.append(("admin /admin/", lambda: browser.get("/admin/")))
    return found


def measured(rounds: int) -> list[dict[str, Any]]:
    """Every request with its median, the slowest first."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    rows = []
    for name, ask in asked():
        answer = ask()
        if answer.status_code != 200:
            print(f"{name}: {answer.status_code}", file=sys.stderr)
            continue
        read = getattr(answer, "streaming_content", None)
        if read is not None:
            b"".join(read)
        taken = [timed(ask) for _ in range(rounds)]
        with CaptureQueriesContext(connection) as queries:
            ask()
        longest = max((float(each["time"]) * 1e3 for each in queries), default=0.0)
        statement = next((each["sql"] for each in queries if float(each["time"]) * 1e3 == longest), "")
        rows.append(
            {"request": name, "ms": round(statistics.median(taken), 1), "sql_ms": longest, "sql": statement}
        )
    return sorted(rows, key=lambda row: -row["ms"])


def main() -> None:
    """Prints one JSON line and a table."""
    options = arguments(__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--sql", action="store_true", help="with the longest statement of whatever is slow")
    chosen = options.parse_args()
    size = Size(events=chosen.events, history=chosen.events, clients=chosen.clients)
    with database(chosen.data, LASTING):
        filled(size)
        rows = measured(chosen.rounds)
    slow = [row for row in rows if row["ms"] > SLOW]
    line = {"bench": "growth", "events": chosen.events, "devices": size.devices, "requests": len(rows)}
    told = [{name: row[name] for name in ("request", "ms")} for row in rows[:10]]
    print(json.dumps(line | {"slower_than_100_ms": len(slow), "slowest": told}))
    for row in rows if chosen.sql else rows[:25]:
        print(f"{row['ms']:9.1f} ms  {row['sql_ms']:8.1f} ms in one statement  {row['request']}")
        if chosen.sql and row in slow:
            print(f"      {row['sql'][:3000]}")


if __name__ == "__main__":
    main()
