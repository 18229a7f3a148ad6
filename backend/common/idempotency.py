"""`Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): a retried POST acts once.

The first request claims its key by a unique row before it acts. A retry with the same body gets the stored
answer with `Idempotency-Replayed: true`; another body under the same key is 422; a retry while the first runs
is 409. A request that ended in a server error, or whose process died, releases its key. Keys are a caller's own, and
each route has its own. `GuardedAPIView` honours the key on every POST; a view names those where it does not, and why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.errors import Refusal
from common.models import IdempotencyRecord

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(minutes=5)
"""A first request that has not answered for this long is taken for dead."""
MAX_KEY = 255

Handler = Callable[..., Any]


def fingerprint_of(method: str, path: str, body: Any) -> str:
    """What was asked: method, path and the parsed body with its keys sorted; of a file, its content.

    Keyed by SECRET_KEY (HMAC-SHA-256), because a body may hold a password, which its bare digest would let one guess.
    """
    if isinstance(body, Mapping):
        body = dict(body)  # of a form, with all values of a name
    text = json.dumps([method, path, body], sort_keys=True, default=_told, ensure_ascii=False)
    asked = text.encode(errors="surrogatepass")
    return salted_hmac("sync2gear.idempotency", asked, algorithm="sha256").hexdigest()


def _told(value: Any) -> Any:
    """An uploaded file by its name and content, read in pieces; anything else by its text."""
    if not isinstance(value, UploadedFile):
        return str(value)
    digest = hashlib.sha256()
    for piece in value.chunks():
        digest.update(piece)
    value.seek(0)
    return [value.name, value.size, digest.hexdigest()]


def idempotent(handler: Handler, *, caller: str, route: str) -> Handler:
    """`handler(request, …)`, which acts once for each key that this caller gives on this route."""

    def once(request: Request, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(request, *args, **kwargs)
        if not 1 <= len(key) <= MAX_KEY:
            raise Refusal("validation_failed", f"{HEADER} must have 1 to {MAX_KEY} characters.")
        wanted = fingerprint_of(request.method or "", request.get_full_path(), request.data)
        record, earlier = _claim(caller, route, key, wanted, clock.now())
        if earlier is not None:
            return earlier
        try:
            response = handler(request, *args, **kwargs)
        except BaseException:
            record.delete()
            raise
        if not isinstance(response, Response):  # sound, which is made anew as well as kept
            record.delete()
            return response
        record.status = response.status_code
        record.answer = json.dumps(response.data, default=str)
        record.save(update_fields=["status", "answer"])
        return response

    return once


def _claim(
    caller: str, route: str, key: str, wanted: str, now: datetime
) -> tuple[IdempotencyRecord, Response | None]:
    """Takes the key for this request, or answers with what the first one got."""
    same = IdempotencyRecord.objects.filter(caller=caller, route=route, key=key)
    same.filter(created_at__lt=now - KEPT_FOR).delete()
    same.filter(status=0, created_at__lt=now - GIVEN_UP_AFTER).delete()
    try:
        with transaction.atomic():
            record = IdempotencyRecord.objects.create(
                caller=caller, route=route, key=key, fingerprint=wanted, created_at=now
            )
    except IntegrityError:
        first = same.first()
        if first is not None and first.fingerprint != wanted:
            raise Refusal(
                "idempotency_key_reused", f"This {HEADER} was used for another request; take a fresh one."
            ) from None
        if first is None or not first.status:  # None: it has just failed, and released its key
            raise Refusal(
                "idempotency_in_progress", "Ask again in a second.", headers={"Retry-After": "1"}
            ) from None
        replayed = Response(json.loads(first.answer), status=first.status)
        replayed["Idempotency-Replayed"] = "true"
        return first, replayed
    return record, None
