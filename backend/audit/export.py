"""The trail as a file of any size: pages of entries, turned into text while they are sent.

Each page is a short query of its own that begins where the last one ended, in the order of (timestamp, id). So
memory stays the same whatever the size, and a slow reader holds neither a database connection nor a transaction,
as a cursor of the database would for hours.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import msgspec
from django.db import connections
from django.http import StreamingHttpResponse

from common.pagination import beyond
from common.spreadsheets import harmless

ROWS_AT_ONCE = 1000
ORDER = ("timestamp", "pk")
COLUMNS = (
    "id",
    "timestamp",
    "client_id",
    "client_name",
    "user_id",
    "actor_name",
    "real_user_id",
    "real_actor_name",
    "action",
    "resource",
    "resource_id",
    "details",
    "ip_address",
    "request_id",
    "number",
    "digest",
    "hash",
)
_KEYS = {"client_id": "client", "user_id": "user", "real_user_id": "real_user"}
HEADINGS = tuple(_KEYS.get(name, name) for name in COLUMNS)
"""As the API names them."""
_TIMESTAMP = COLUMNS.index("timestamp")
_TEXTS = [
    COLUMNS.index(name)
    for name in (
        "client_name",
        "actor_name",
        "real_actor_name",
        "action",
        "resource",
        "resource_id",
        "details",
        "request_id",
    )
]
"""What may begin with anything; the others are numbers, hexadecimal or an address."""

Row = Sequence[Any]
Writer = Callable[[Sequence[Row]], bytes]


def as_csv(rows: Sequence[Row]) -> bytes:
    """Lines of CSV (RFC 4180). Text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    for row in rows:
        cells = list(row)
        cells[_TIMESTAMP] = cells[_TIMESTAMP].isoformat()
        for place in _TEXTS:
            cells[place] = harmless(cells[place])
        lines.writerow(cells)
    return text.getvalue().encode()


def as_json_lines(rows: Sequence[Row]) -> bytes:
    """One JSON object a line, as the API shows an entry; `details` is JSON already."""
    encode = msgspec.json.Encoder().encode
    lines = bytearray()
    for row in rows:
        entry = dict(zip(HEADINGS, row, strict=True))
        entry["details"] = msgspec.Raw(entry["details"].encode())
        lines += encode(entry) + b"\n"
    return bytes(lines)


FORMATS: dict[str, tuple[str, bytes, Writer]] = {
    "csv": ("text/csv; charset=utf-8; header=present", f"{','.join(HEADINGS)}\r\n".encode(), as_csv),
    "jsonl": ("application/jsonl; charset=utf-8", b"", as_json_lines),
}
"""Of each format: its media type, how a file begins, and how entries are written."""


def chunks(entries: Any, format: str) -> Iterator[bytes]:
    """The file, a page of `entries` at a time. `entries` were narrowed to what the caller may see."""
    _, heading, write = FORMATS[format]
    if heading:
        yield heading
    ordered = entries.order_by(*ORDER).values_list(*COLUMNS)
    page = list(ordered[:ROWS_AT_ONCE])
    while page:
        yield write(page)
        last = page[-1]
        page = list(ordered.filter(beyond(ORDER, (last[_TIMESTAMP], last[0])))[:ROWS_AT_ONCE])


class ExportResponse(StreamingHttpResponse):
    """The chunks of a file, each made when the reader has taken the one before.

    Under WSGI it is an ordinary iterator. Under ASGI, where Django would first read a plain iterator to its end, each
    chunk is made on a thread, which then gives its database connection back.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        made = iter(self.streaming_content)  # type: ignore[arg-type]  # never an async iterator here
        while chunk := await asyncio.to_thread(_next, made):
            yield chunk


def _next(made: Iterator[bytes]) -> bytes:
    try:
        return next(made, b"")
    finally:
        connections.close_all()
