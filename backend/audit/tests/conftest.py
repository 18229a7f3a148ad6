"""Fixtures: a trail to look at, and the hands of somebody who may do anything to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from audit import append_only
from audit.models import AuditLog
from audit.services import record


@contextmanager
def as_database_administrator() -> Iterator[Any]:
    """A cursor, while the triggers are away."""
    append_only.remove(connection)
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        append_only.install(connection)


@pytest.fixture
def write(db: None) -> Callable[..., list[AuditLog]]:
    """`write(3, client_id=7)` adds three entries of that business."""

    def add(count: int, *, client_id: int | None = None, **said: Any) -> list[AuditLog]:
        columns = {"action": "play", "resource": "announcement", "resource_id": 1} | said
        return [record(**columns, client_id=client_id, details={"place": place}) for place in range(count)]

    return add
