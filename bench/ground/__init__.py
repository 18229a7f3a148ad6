"""What benches on PostgreSQL stand on: servers, rows, and a stop-watch."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def database(data: Path | None = None, settings: Sequence[str] | None = None) -> Iterator[None]:
    """Django on fresh PostgreSQL and Valkey servers, with empty tables.

    `data` is a folder in which PostgreSQL keeps them for the next run; `settings` are PostgreSQL's.
    """
    from testing import servers

    with servers.running(data=data, settings=settings or servers.THROW_AWAY) as started:
        os.environ["SYNC2GEAR_TEST_DATABASE_URL"] = started.database_url
        os.environ["SYNC2GEAR_TEST_REDIS_URL"] = started.redis_url
        django_on()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        try:
            yield
        finally:
            connections.close_all()


def django_on() -> None:
    """Django on the servers that the environment names, as in production."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "testing.production"
    import django
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment()


def execute(statement: str) -> int:
    """Runs one statement of SQL; returns how many rows it was about."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def multiply(model: Any, count: int, **columns: str) -> None:
    """Makes `count` rows of the one in `model_<table>`; `columns` are SQL expressions of `n`, 1 to `count`."""
    fields = [field for field in model._meta.concrete_fields if not getattr(field, "generated", False)]
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(columns.get(field.column, f't."{field.column}"') for field in fields)
    table = model._meta.db_table
    execute(
        f"INSERT INTO {table} ({names}) SELECT {values}"  # noqa: S608  # our own tables
        f" FROM model_{table} t, generate_series(1, {count}) n"
    )


def timed(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def summary(values: list[float]) -> dict[str, float]:
    """Median, least and most, ms."""
    figures = {"median_ms": statistics.median(values), "least_ms": min(values), "most_ms": max(values)}
    return {name: round(value, 2) for name, value in figures.items()}
