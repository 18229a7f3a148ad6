"""Conditional requests (RFC 9110 §13): 304 for what has not changed, 412 for a change of what somebody else changed.

An entity tag has two parts, `"<of what may be changed>.<of the whole>"`. `If-None-Match` compares the whole tag, so
that a reader never misses a speaker that went offline. `If-Match` compares the first part alone, over the fields that
a caller may write: what the server notes by itself, such as when a speaker was last heard, makes no change stale.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import Refusal

IF_MATCH = "If-Match"
IF_NONE_MATCH = "If-None-Match"


def etag_of(serializer: Any, editable: Collection[str] = ()) -> str:
    """The tag of the row that this serializer shows, with its quotes.

    `editable` names the fields that a change may set, where another serializer takes the change.
    """
    data = dict(serializer.data)
    names = editable or [name for name, field in serializer.fields.items() if not field.read_only]
    edited = {name: data[name] for name in names if name in data}
    return f'"{_digest(edited or data)}.{_digest(data)}"'


def _digest(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:20]


def require_match(request: Request, serializer: Any, editable: Collection[str] = ()) -> None:
    """Raises Refusal `precondition_failed` if the request names another version of the row. Call it under its lock."""
    given = request.headers.get(IF_MATCH)
    if given is None or given.strip() == "*":
        return
    now = etag_of(serializer, editable)
    versions = {tag.strip('"').partition(".")[0] for tag in parse_etags(given) if not tag.startswith("W/")}
    if now.strip('"').partition(".")[0] not in versions:
        raise Refusal(
            "precondition_failed", "It has changed since you read it. Read it again.", headers={"ETag": now}
        )


def shown(request: Request, serializer: Any, editable: Collection[str] = ()) -> Response:
    """The row with its tag; 304 without the row for a reader that has this version."""
    etag = etag_of(serializer, editable)
    given = request.headers.get(IF_NONE_MATCH, "")
    known = {tag.removeprefix("W/") for tag in parse_etags(given)}
    unchanged = request.method in ("GET", "HEAD") and bool(known & {etag, "*"})
    response = Response(status=304) if unchanged else Response(serializer.data)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response
