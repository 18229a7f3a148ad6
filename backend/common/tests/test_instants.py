"""Instants read from the database are what was written, and on PostgreSQL read by C."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from clients.models import Client
from common.tenancy import system_scope

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2026, 7, 1, 12, tzinfo=UTC),
        datetime(2026, 7, 1, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 7, 1, 12, 0, 0, 120_000, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_an_instant_comes_back(instant: datetime) -> None:
    with system_scope("a test"):
        made = Client.objects.create(name="A", business_name="A", email="a@example.com")
        Client.objects.filter(pk=made.pk).update(created_at=instant)
        read = Client.objects.values_list("created_at", flat=True).get(pk=made.pk)
    assert read == instant
    assert read.tzinfo is UTC


def test_postgresql_s_instants_are_read_by_c() -> None:
    """Django replaces a loader that it takes for one of another time zone, and does so for each cursor."""
    if connection.vendor != "postgresql":
        return  # SQLite has no instants: Django makes them from text
    from common.instants import InstantLoader

    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        assert cursor.fetchone()[0].tzinfo is UTC
        assert cursor.connection.adapters.get_loader(1184, 0) is InstantLoader
        assert cursor.adapters.get_loader(1184, 0) is InstantLoader
