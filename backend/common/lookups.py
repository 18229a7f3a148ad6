"""`filter(pk__among=keys)`: as `in`, for hundreds of whole numbers or UUIDs, at the cost of one parameter.

Django binds, checks and quotes each member of an `in` list by itself, which for 2,000 keys takes longer than the query.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Field, ForeignKey, Lookup, UUIDField


@ForeignKey.register_lookup  # which knows none of its parents'
@Field.register_lookup
class Among(Lookup):
    """Is the value one of these integers, or of these UUIDs? None of them, no row."""

    lookup_name = "among"
    prepare_rhs = False
    rhs: Iterable[int] | Iterable[UUID]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """One array for PostgreSQL, one JSON text for SQLite."""
        lhs, params = self.process_lhs(compiler, connection)
        kind = "uuid" if isinstance(self.lhs.output_field, UUIDField) else "bigint"
        keys = [key.hex if isinstance(key, UUID) else int(key) for key in self.rhs]
        if connection.vendor == "postgresql":
            return f"{lhs} = ANY(%s::{kind}[])", (*params, "{" + ",".join(map(str, keys)) + "}")
        return f"{lhs} IN (SELECT value FROM json_each(%s))", (*params, json.dumps(keys))  # noqa: S608  # a column
