"""`Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): a retried POST acts once.

The first request claims its key by a unique row before it acts. A retry with the same body gets the stored
answer with `Idempotency-Replayed: true`; another body under the same key is 422; a retry while the first runs
is 409. A request that ended in a server error, or whose process died, releases its key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.db import IntegrityError, transaction
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


def fingerprint_of(method: str, path: str, body: Any) -> str:
    """SHA-256 of what was asked: method, path and the parsed body with its keys sorted."""
    text = json.dumps([method, path, body], sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def idempotent(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Decorates a handler of a `GuardedAPIView`: a key on the request makes its retries harmless."""

    @wraps(handler)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not 1 <= len(key) <= MAX_KEY:
            raise Refusal("validation_failed", f"{HEADER} must have 1 to {MAX_KEY} characters.")
        wanted = fingerprint_of(request.method or "", request.get_full_path(), request.data)
        record, earlier = _claim(f"user:{request.user.pk}", key, wanted, clock.now())
        if earlier is not None:
            return earlier
        try:
            response = handler(view, request, *args, **kwargs)
        except Exception:
            record.delete()
            raise
        record.status = response.status_code
        record.body = json.loads(json.dumps(response.data, default=str))
        record.save(update_fields=["status", "body"])
        return response

    guarded.honours_idempotency_key = True  # type: ignore[attr-defined]  # read by the OpenAPI schema
    return guarded


def _claim(caller: str, key: str, wanted: str, now: datetime) -> tuple[IdempotencyRecord, Response | None]:
    """Takes the key for this request, or answers with what the first one got."""
    stale = IdempotencyRecord.objects.filter(caller=caller, key=key)
    stale.filter(created_at__lt=now - KEPT_FOR).delete()
    stale.filter(status=0, created_at__lt=now - GIVEN_UP_AFTER).delete()
    try:
        with transaction.atomic():
            record = IdempotencyRecord.objects.create(
                caller=caller, key=key, fingerprint=wanted, created_at=now
            )
    except IntegrityError:
        first = IdempotencyRecord.objects.filter(caller=caller, key=key).first()
        if first is not None and first.fingerprint != wanted:
            raise Refusal(
                "idempotency_key_reused", f"This {HEADER} was used for another request; take a fresh one."
            ) from None
        if first is None or not first.status:  # None: it has just failed, and released its key
            raise Refusal(
                "idempotency_in_progress", "Ask again in a second.", headers={"Retry-After": "1"}
            ) from None
        return first, Response(first.body, status=first.status, headers={"Idempotency-Replayed": "true"})
    return record, None


def forget_old(now: datetime) -> int:
    """Deletes the records older than 24 h; returns how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=now - KEPT_FOR).delete()[0]
