"""Rows given by value arrive as they are, in both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from common.given import given, joined

KEY = UUID("00000000-0000-4000-8000-00000000abcd")
INSTANT = datetime(2026, 3, 29, 1, 30, 0, 250_000, tzinfo=UTC)


def fetched(columns: Any, names: str) -> list[tuple[Any, ...]]:
    """What a SELECT of these columns finds."""
    table, values = given("t", columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {table}", values)  # noqa: S608  # the test's own names
        return cursor.fetchall()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, None, -(2**62)]),
        ("float8", [0.5, None, -15.0]),
        (
            "text",
            ["", None, "NULL", 'a "b" \\ c, {d}', " edges ", "%s", "Ünïcode 🔔", "line\nbreak", "'; --"],
        ),
        ("bigint", []),
        ("bigint", [None, None]),
        ("text", ['all "alike"'] * 3),
        ("text", ["alike", "at both ends", "alike"]),
    ],
)
def test_values_arrive_as_they_are(kind: str, values: list[Any]) -> None:
    assert fetched({"value_": (kind, values)}, "t.value_") == [(value,) for value in values]


@pytest.mark.django_db
def test_columns_stay_side_by_side_and_meet_what_django_keeps() -> None:
    columns = {"id": ("uuid", [KEY]), "at": ("timestamptz", [INSTANT]), "n": ("bigint", [7])}
    (row,) = fetched(columns, "t.id, t.at, t.n")
    if connection.vendor == "postgresql":
        assert row == (KEY, INSTANT, 7)
    else:
        assert row == (KEY.hex, str(connection.ops.adapt_datetimefield_value(INSTANT)), 7)


@pytest.mark.django_db
def test_what_has_no_text_is_refused() -> None:
    with pytest.raises(TypeError):
        given("t", {"value_": ("text", [object()])})


@pytest.mark.django_db
@pytest.mark.parametrize(("how", "meets"), [("JOIN", 1), ("LEFT JOIN", 2)])
def test_rows_are_looked_up_by_their_keys(how: str, meets: int) -> None:
    known = ContentType.objects.get_for_model(ContentType).pk
    table, values = given("t", {"key": ("bigint", [known, 0])})
    statement = f"SELECT t.key, c.model FROM {table} {joined(how, 'django_content_type', 'c', 't.key')}"  # noqa: S608  # the test's own names
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.fetchall() == [(known, "contenttype"), (0, None)][:meets]


@pytest.mark.django_db
@pytest.mark.parametrize(("keys", "found"), [([1, 2**40], True), ([], False), (iter([2**40]), False)])
def test_among_is_in(keys: Any, found: bool) -> None:
    kind = ContentType.objects.get_for_model(ContentType)
    keys = [kind.pk if key == 1 else key + kind.pk for key in keys]
    assert ContentType.objects.filter(pk__among=keys).exists() is found
    assert ContentType.objects.exclude(pk__among=keys).filter(pk=kind.pk).exists() is not found


@pytest.mark.production
@pytest.mark.django_db
def test_no_table_is_read_as_a_whole_for_a_few_of_its_rows() -> None:
    table, values = given("t", {"key": ("bigint", list(range(5000)))})
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN SELECT 1 FROM {table} {joined('JOIN', 'devices', 'd', 't.key')}", values)  # noqa: S608  # the test's own names
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Nested Loop" in plan
    assert "Hash" not in plan
