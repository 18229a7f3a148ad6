"""Every list of plays is read along an index, from the first page and from any other: no sort, no scan of the table.

On PostgreSQL. A test's few rows would be scanned faster than any index is read, so the planner is told to do that only
where no index helps; a list without its index is then seen by its `Sort` or `Seq Scan`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import Business
from events.models import PlayEvent
from events.tests.support import NOW, make_event
from users.models import User

pytestmark = [pytest.mark.production, pytest.mark.django_db]

URL = "/api/play-events/"


def plan(statement: str) -> str:
    """How PostgreSQL would answer it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
        )
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


def asked(api: Any, url: str) -> tuple[str, str]:
    """The plan of the list's one query about plays, and the link to the next page."""
    with CaptureQueriesContext(connection) as queries:
        answer = api.get(url)
    assert answer.status_code == 200, answer.json()
    [statement] = [each["sql"] for each in queries if 'FROM "play_events"' in each["sql"]]
    return plan(statement), answer.json()["next"]


@pytest.mark.parametrize(
    ("role", "query", "index"),
    [
        ("staff", "", "event_newest"),
        ("staff", "client={client}", "event_client_newest"),
        ("staff", "floor={floor}", "event_floor_newest"),
        ("staff", "device={device}", "event_device_newest"),
        ("admin", "", "event_client_newest"),
        ("admin", "ordering=-play_at", "event_client_due"),
        ("admin", "ordering=play_at", "event_(client_)?due"),
        (
            "admin",
            "ordering=play_at&from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z",
            "event_(client_)?due",
        ),
        ("admin", "reason=offline", "event_reason_newest"),
        ("floor_user", "", "event_floor_newest"),
    ],
)
def test_a_page_is_read_along_its_index(
    call: Any, shop: Business, other_shop: Business, staff: User, role: str, query: str, index: str
) -> None:
    device = shop.devices[0]
    for second in range(3):
        make_event(shop, now=NOW + timedelta(seconds=second), reason="offline", status="failed")
    elsewhere, beside = make_event(other_shop), make_event(shop, device=shop.devices[1])
    columns = ", ".join(field.column for field in PlayEvent._meta.concrete_fields if not field.primary_key)
    people = {"staff": staff, "admin": shop.admin, "floor_user": shop.floor_user}
    query = query.format(client=shop.client.pk, floor=device.floor_id, device=device.pk)
    url = f"{URL}?limit=1&{query}"
    with connection.cursor() as cursor:
        for event, copies in ((elsewhere, 3000), (beside, 200)):
            cursor.execute(
                f"INSERT INTO play_events (id, {columns}) SELECT gen_random_uuid(), {columns}"  # noqa: S608  # our own
                " FROM play_events, generate_series(1, %s) WHERE id = %s",
                [copies, event.pk],
            )
        cursor.execute("ANALYZE play_events")
    for _ in ("first", "second", "third"):
        found, url = asked(call(people[role]), url)
        assert "Sort" not in found, found
        assert "Seq Scan on play_events" not in found, found
        assert re.search(f"using {index} on play_events", found), found
