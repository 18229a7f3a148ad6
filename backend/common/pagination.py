"""Pages of lists: numbered ones, and for what grows without bound a cursor that says where the page before ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import F, Model, Q
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from rest_framework.pagination import BasePagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import Refusal
from common.serializers import invalid

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200


class Pages(PageNumberPagination):
    """`count`, `next`, `previous`, `results`: 50 rows a page unless `?page_size=` asks for 1 to 200."""

    page_size = DEFAULT_LIMIT
    page_size_query_param = "page_size"
    max_page_size = LARGEST_LIMIT


def beyond(ordering: Sequence[str], position: Sequence[Any]) -> Q:
    """The rows that come after `position` when they are ordered so: a keyset condition.

    `ordering` are names of columns that are never null, the last of them unique, `-` for descending; `position` has
    a value for each. If all go one way it is one comparison of rows, `(a, b) < (x, y)`: an index over them leads
    straight to the place. Else the bound on the first column lets an index on that one be used.
    """
    columns = [_column(name) for name in ordering]
    signs = {sign for _, sign in columns}
    if len(signs) == 1:
        compared = TupleLessThan if signs == {"lt"} else TupleGreaterThan
        return Q(compared(tuple(F(column) for column, _ in columns), tuple(position)))
    after = Q()
    same: dict[str, Any] = {}
    for (column, sign), value in zip(columns, position, strict=True):
        after |= Q(**same, **{f"{column}__{sign}": value})
        same[column] = value
    column, sign = columns[0]
    return Q(**{f"{column}__{sign}e": position[0]}) & after


def _column(name: str) -> tuple[str, str]:
    return (name[1:], "lt") if name.startswith("-") else (name, "gt")


def _turned(ordering: Sequence[str]) -> list[str]:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in ordering]


class CursorPages(BasePagination):
    """`next`, `previous`, `results`: 50 rows unless `?limit=` asks for 1 to 200.

    `next` and `previous` are links, or null at the end; they keep the filters. A page starts where the one before
    ended, so that rows that come meanwhile put none on two pages or on none, and the last page costs as much as the
    first. Nothing is counted. The order is the queryset's, over columns that are never null; it ends in the key.
    Raises Refusal `bad_cursor` for a cursor that is not of this list in this order.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The rows of the page that the request asks for."""
        limit = _limit(request.query_params.get("limit"))
        self._url = request.build_absolute_uri(request.path)
        self._asked = {name: values for name, values in request.query_params.lists() if name != "cursor"}
        self._model = queryset.model
        self._ordering = [str(name) for name in queryset.query.order_by or queryset.model._meta.ordering]
        cursor = request.query_params.get("cursor")
        backwards, position = self._read(cursor) if cursor else (False, None)
        ordering = _turned(self._ordering) if backwards else self._ordering
        if position is not None:
            queryset = queryset.filter(beyond(ordering, position))
        rows = list(queryset.order_by(*ordering)[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        if backwards:
            rows.reverse()
        self._next = self._link(rows[-1], False) if rows and (more or backwards) else None
        came_from_before = more if backwards else position is not None
        self._previous = self._link(rows[0], True) if rows and came_from_before else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """The page with its links."""
        return Response({"next": self._next, "previous": self._previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The page in OpenAPI."""
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": link | {"description": "The following page; null at the end."},
                "previous": link | {"description": "The page before; null at the beginning."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """`cursor` and `limit` in OpenAPI."""
        limit = {
            "type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT
        }  # fmt: skip
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where to go on; taken from `next` or `previous`, not made by hand.",
                "schema": {"type": "string"},
            },
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "How many rows a page has.",
                "schema": limit,
            },
        ]

    @property
    def _salt(self) -> str:
        return f"cursor:{self._model._meta.db_table}"

    def _link(self, row: Model, backwards: bool) -> str:
        """The URL of the page that begins beside `row`."""
        columns = [name.lstrip("-") for name in self._ordering]
        values = [_field(self._model, column).value_to_string(row) for column in columns]
        cursor = signing.dumps([self._ordering, backwards, values], salt=self._salt)
        return f"{self._url}?{urlencode({**self._asked, 'cursor': cursor}, doseq=True)}"

    def _read(self, cursor: str) -> tuple[bool, list[Any]]:
        """Which way a cursor goes, and from where. It is signed, so that what it holds was put there by `_link`."""
        try:
            ordering, backwards, values = signing.loads(cursor, salt=self._salt)
        except signing.BadSignature:
            ordering, backwards, values = None, False, []
        if ordering != self._ordering:
            raise Refusal("bad_cursor", "This cursor is not of this list in this order: start without one.")
        columns = [name.lstrip("-") for name in self._ordering]
        return backwards, [
            _field(self._model, column).to_python(value)
            for column, value in zip(columns, values, strict=True)
        ]


def _field(model: type[Model], name: str) -> Any:
    meta: Any = model._meta
    return meta.pk if name == "pk" else meta.get_field(name)


def _limit(asked: str | None) -> int:
    if asked is None:
        return DEFAULT_LIMIT
    if not (asked.isascii() and asked.isdigit() and len(asked) < 6 and 1 <= int(asked) <= LARGEST_LIMIT):
        raise invalid("limit", "out_of_range", f"Give a whole number from 1 to {LARGEST_LIMIT}.")
    return int(asked)
