"""Preparing a sound is a job, and a job may die with its process: which rows wait, and asking for them again.

A row says when its job was last asked for (`queued_at`) and how often one began (`attempts`). Every job first
calls `begin`; a periodic task calls `lost` and enqueues what it names.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F

from common import clock
from common.audio.values import Loudness, gain_db
from common.media_fields import Readiness

M = TypeVar("M", bound=models.Model)

UNFINISHED = (Readiness.GENERATING, Readiness.PROCESSING)
STUCK_AFTER = timedelta(minutes=10)
"""Longer than any job runs: what was asked for before and is not done may be asked for again."""
MOST_ATTEMPTS = 5
"""A job that began this often and never ended takes its process with it; it is not begun again."""
STARTED_AT = clock.now()
"""When this process began."""


class Preparable(models.Model):
    """The columns by which lost work is found again."""

    queued_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True


def whole_seconds(ms: int) -> int:
    """`ms` to the nearest second, a half upwards."""
    return (ms + 500) // 1000


def failure(code: str, detail: str) -> dict[str, Any]:
    """The columns of a row whose preparation failed for good."""
    return {"status": Readiness.FAILED, "failure_code": code, "failure_detail": detail[:1000]}


def success(loudness: Loudness) -> dict[str, Any]:
    """The columns of a row that is ready, with what was measured."""
    return {
        "status": Readiness.READY,
        "failure_code": "",
        "failure_detail": "",
        "loudness_lufs": loudness.integrated_lufs,
        "true_peak_dbtp": loudness.true_peak_dbtp,
        "gain_db": gain_db(loudness),
    }


def begin(rows: models.QuerySet[M], pk: int, *, status: Readiness) -> M | None:
    """The row whose preparation may begin now, its attempt counted; None when there is nothing to do.

    A row that began MOST_ATTEMPTS times already is set to failed.
    """
    waiting = rows.filter(pk=pk, status=status)
    given_up = failure("gave_up", f"Preparing it was begun {MOST_ATTEMPTS} times and never came to an end.")
    if waiting.filter(attempts__gte=MOST_ATTEMPTS).update(**given_up):
        return None
    if not waiting.update(attempts=F("attempts") + 1):
        return None
    return waiting.first()


def lost_before(now: datetime) -> datetime:
    """What was asked for before this instant, and is not done, has lost its job.

    When jobs run in this one process, those from before it started are lost for certain.
    """
    late = now - STUCK_AFTER
    return max(late, STARTED_AT) if settings.JOBS_EMBEDDED else late


def lost(rows: models.QuerySet[Any], *, asked_before: datetime, now: datetime) -> list[tuple[int, str]]:
    """Key and status of the rows whose job must be asked for again; they count as asked for `now`.

    Two callers at once never get the same row.
    """
    stuck = rows.filter(status__in=UNFINISHED, queued_at__lt=asked_before)
    return [
        (pk, status)
        for pk, status in stuck.order_by("queued_at").values_list("pk", "status")
        if stuck.filter(pk=pk).update(queued_at=now)
    ]
