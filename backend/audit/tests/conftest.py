"""Fixtures: a trail to look at, and the hands of somebody who may do anything to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
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


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`verify("--client", "7")`: the exit status, what is on standard output, and what is on standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            call_command("verify_audit", *arguments)
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run
