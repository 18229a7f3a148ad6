"""Instants as PostgreSQL sends them, read by C.

Django's own loader takes each apart by a regular expression, thirty times as slow: of a list of plays, which has seven
instants a row, that was a fifth. Imported only where PostgreSQL is used.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from psycopg.adapt import Loader


class InstantLoader(Loader):
    """Takes `2026-07-01 12:00:00.123456+00`, the text of a connection whose time zone is UTC, to a datetime of UTC.

    Raises ValueError for what Python has no datetime for: `infinity` and years beyond 9999.
    """

    timezone = UTC
    """By this Django sees that the loader is of its connection's zone, and puts no other in its place."""

    def load(self, data: Any) -> datetime:
        """The instant; `data` is a buffer of ASCII."""
        return datetime.fromisoformat(str(data, "ascii"))


def read_quickly(connection: Any) -> None:
    """Has this connection of Django's read its instants so, if its time zone is UTC, as everywhere here."""
    if connection.timezone is UTC:
        connection.connection.adapters.register_loader("timestamptz", InstantLoader)
