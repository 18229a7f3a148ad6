"""Emptying a database that has an audit trail, which its triggers refuse to anybody else."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction
from django.db.backends.base.operations import BaseDatabaseOperations

from audit import append_only


@contextmanager
def trail_may_be_emptied() -> Generator[None]:
    """While it is open, `flush` empties every table: tests that commit end with that."""
    empty = BaseDatabaseOperations.execute_sql_flush

    def without_triggers(operations: Any, statements: list[str]) -> None:
        connection = operations.connection
        with transaction.atomic(using=connection.alias):
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL session_replication_role = replica")
                empty(operations, statements)
            else:
                append_only.remove(connection)
                empty(operations, statements)
                append_only.install(connection)

    with patch.object(BaseDatabaseOperations, "execute_sql_flush", without_triggers):
        yield


@pytest.fixture(autouse=True, scope="session")
def _tests_may_empty_the_trail() -> Generator[None]:
    with trail_may_be_emptied():
        yield
