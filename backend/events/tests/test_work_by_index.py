"""What comes back every few seconds reads no more of the ledger the longer a shop is open, on SQLite.

The tables are as good as empty here, as SQLite takes them for in a shop too: nobody tells it how many rows they have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from conftest import Business
from events.delivery import EventLedger
from events.sweeper import sweep
from events.tests.support import NOW, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.once("embedded")]


def plans(work: Callable[[], Any]) -> list[str]:
    """How SQLite finds the plays that this work looks for: a line for each statement.

    It plans with the parameters where the work has them: written out in the statement they would show an index that it
    does not take.
    """
    asked: list[tuple[str, Any]] = []

    def noted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if ' FROM "play_events"' in sql:
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(noted):
        work()
    with connection.cursor() as cursor:
        rows = [
            row
            for sql, params in asked
            for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
        ]
    return [line for *_, line in rows if " play_events" in line]


def test_the_sweeper_looks_at_what_is_open(shop: Business) -> None:
    make_event(shop)
    [line] = plans(lambda: sweep(now=NOW))
    assert "event_open_expiry" in line


@pytest.mark.parametrize("reconnected", [True, False])
def test_what_is_due_is_looked_for_among_what_is_open(shop: Business, reconnected: bool) -> None:
    make_event(shop)
    pks = [device.pk for device in shop.devices]
    [line] = plans(lambda: EventLedger().due(pks, reconnected=reconnected, now=NOW))
    assert "event_open_device" in line


def test_a_plan_looks_at_a_speaker_s_last_day(call: Any, shop: Business) -> None:
    make_event(shop)
    api = call(shop.admin)
    lines = plans(lambda: api.get(f"/api/devices/{shop.devices[0].pk}/plan/"))
    assert lines
    assert all("event_device_newest (device_id=? AND created_at>?)" in line for line in lines), lines
