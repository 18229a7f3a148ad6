"""Rows given by value: one statement over thousands of them, in both databases.

PostgreSQL takes each column as one array, SQLite all columns as one JSON text, so that neither the number of the
statement's parameters nor the time to compile it grows with the rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

Column = tuple[str, Sequence[Any]]
"""PostgreSQL's name of the type, and the values."""


def given(alias: str, columns: Mapping[str, Column]) -> tuple[str, list[Any]]:
    """A table of these columns for the FROM of a statement, and its parameters. Names are our own, never a caller's."""
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{kind}[]" for kind, _ in columns.values())
        values = [_array(kind, each) for kind, each in columns.values()]
        return f"unnest({arrays}) AS {alias} ({', '.join(columns)})", values
    rows = zip(*(values for _, values in columns.values()), strict=True)
    picked = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns))
    return f"(SELECT {picked} FROM json_each(%s)) AS {alias}", [json.dumps(list(rows), default=_as_sqlite)]  # noqa: S608  # our own names


def joined(how: str, table: str, alias: str, key: str) -> str:
    """The row of `table` whose `id` is `key`, joined (`how`: `JOIN`, `LEFT JOIN`) by a look-up for each row before it.

    For rows that are few beside the table. PostgreSQL takes a look-up to be as dear as a disk's, and would rather read
    all of a table of 100,000 rows for 2,000 of them, at ten times the cost; OFFSET 0 leaves it no choice.
    """
    if connection.vendor == "postgresql":
        return f"{how} LATERAL (SELECT * FROM {table} WHERE id = {key} OFFSET 0) AS {alias} ON true"  # noqa: S608  # our own names
    return f"{how} {table} AS {alias} ON {alias}.id = {key}"


def _array(kind: str, values: Sequence[Any]) -> str:
    """PostgreSQL's text of an array (manual, 8.15.2). psycopg asks for each element's type: ten times as long."""
    write = WRITTEN[kind]
    times = len(values) if _alike(values) else 1
    written = ["NULL" if value is None else write(value) for value in (values if times == 1 else values[:1])]
    return "{" + ",".join(written * times) + "}"


def _alike(values: Sequence[Any]) -> bool:
    """Whether all are one and the same, as states and reasons of many rows most often are."""
    return bool(values) and values[0] == values[-1] and values.count(values[0]) == len(values)


def _text(value: str) -> str:
    return '"' + str.replace(value, "\\", "\\\\").replace('"', '\\"') + '"'


def _boolean(value: bool) -> str:
    return "t" if value else "f"


def _uuid(value: UUID) -> str:
    return f"{value.int:032x}"


WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "bigint": int.__repr__,
    "smallint": int.__repr__,
    "float8": float.__repr__,
    "boolean": _boolean,
    "text": _text,
    "jsonb": _text,
    "timestamptz": lru_cache(maxsize=4096)(datetime.__str__),  # thousands of rows share a few instants
    "uuid": _uuid,
}
"""How an element of each type is written; what is not of that type raises."""


def _as_sqlite(value: Any) -> str:
    """As Django keeps it in SQLite."""
    match value:
        case UUID():
            return value.hex
        case datetime():
            return str(connection.ops.adapt_datetimefield_value(value))
        case _:
            raise TypeError(f"{value!r} cannot be given")
