"""Rows given by value: one statement over thousands of them, in both databases.

PostgreSQL takes each column as one array, SQLite all columns as one JSON text, so that neither the number of the
statement's parameters nor the time to compile it grows with the rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

Column = tuple[str, Sequence[Any]]
"""PostgreSQL's name of the type, and the values."""


def given(alias: str, columns: Mapping[str, Column]) -> tuple[str, list[Any]]:
    """A table of these columns for the FROM of a statement, and its parameters. Names are our own, never a caller's."""
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{kind}[]" for kind, _ in columns.values())
        return f"unnest({arrays}) AS {alias} ({', '.join(columns)})", [_array(v) for _, v in columns.values()]
    rows = zip(*(values for _, values in columns.values()), strict=True)
    picked = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns))
    return f"(SELECT {picked} FROM json_each(%s)) AS {alias}", [json.dumps(list(rows), default=_as_sqlite)]  # noqa: S608  # our own names


def _array(values: Sequence[Any]) -> str:
    """PostgreSQL's text of an array (manual, 8.15.2). psycopg asks for each element's type: ten times as long."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case UUID() | int() | float() | datetime():
            return str(value)
        case _:
            raise TypeError(f"{value!r} cannot be given")


def _as_sqlite(value: Any) -> str:
    """As Django keeps it in SQLite."""
    match value:
        case UUID():
            return value.hex
        case datetime():
            return str(connection.ops.adapt_datetimefield_value(value))
        case _:
            raise TypeError(f"{value!r} cannot be given")
