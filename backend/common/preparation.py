"""Preparing a sound is a job, and a job may die with its process: which rows wait, and asking for them again.

A row says when its job was last asked for (`queued_at`), how often one began (`attempts`), and when the one that runs
last gave a sign of life (`worked_at`). `ask` enqueues a job, which first calls `begin` and works inside `at_work`; a
periodic task calls `lost` and asks for what it names. The job's task has the options AGAIN.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db import Error, InterfaceError, OperationalError, connection, models
from django.db.models import F, Q

from common import clock, jobs
from common.audio.values import Loudness, gain_db
from common.media_fields import Readiness

logger = logging.getLogger(__name__)

M = TypeVar("M", bound=models.Model)

UNFINISHED = (Readiness.GENERATING, Readiness.PROCESSING)
STUCK_AFTER = timedelta(minutes=10)
"""Longer than a job waits for its turn: what was asked for before and has not begun may be asked for again."""
SIGN_OF_LIFE_S = 5.0
"""How often a job that runs says so."""
DEAD_AFTER = timedelta(seconds=20)
"""A job that has been silent for so long died with its process."""
BROKER_KEEPS = "preparation.broker_keeps."
"""A mark in the cache that a broker which lost its data has lost as well."""
MOST_ATTEMPTS = 5
"""A job that began this often and never ended takes its process with it; it is not begun again."""
AGAIN: Mapping[str, Any] = {
    "autoretry_for": (OperationalError, InterfaceError),
    "retry_backoff": 2,
    "retry_backoff_max": 30,
    "max_retries": 12,
}
"""Options of a job's task: while the database is away the broker gives it out again, for some minutes (Celery,
"Automatic retry for known exceptions"). One that could not even say that it began would be missed after STUCK_AFTER.
"""
STARTED_AT = clock.now()
"""When this process began."""


class Preparable(models.Model):
    """The columns by which lost work is found again."""

    queued_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    worked_at = models.DateTimeField(null=True, editable=False)

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


def ask(task: Any, model: type[Preparable], pk: int) -> None:
    """Enqueues the job of a row. One that nobody took, or that could not begin, is asked for again at the next look."""

    def missed() -> None:
        waiting = model._base_manager.filter(pk=pk, worked_at=None)
        waiting.update(queued_at=clock.now() - STUCK_AFTER)

    jobs.enqueue(task, pk, missed=missed)


def begin(rows: models.QuerySet[M], pk: int, *, status: Readiness) -> M | None:
    """The row whose preparation may begin now, its attempt counted; None when there is nothing to do.

    A row that began MOST_ATTEMPTS times already is set to failed.
    """
    waiting = rows.filter(pk=pk, status=status)
    given_up = failure("gave_up", f"Preparing it was begun {MOST_ATTEMPTS} times and never came to an end.")
    if waiting.filter(attempts__gte=MOST_ATTEMPTS).update(**given_up):
        return None
    if not waiting.update(attempts=F("attempts") + 1, worked_at=clock.now()):
        return None
    return waiting.first()


@contextmanager
def at_work(row: models.Model) -> Iterator[None]:
    """While the block lasts, this row that `begin` answered with says every SIGN_OF_LIFE_S that its job runs."""
    ended = threading.Event()
    thread = threading.Thread(target=_give_signs, args=(row, ended), name="sign-of-life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _give_signs(row: models.Model, ended: threading.Event) -> None:
    while not ended.wait(SIGN_OF_LIFE_S):
        try:
            type(row)._base_manager.filter(pk=row.pk).update(worked_at=clock.now())
        except Error as error:
            logger.warning("the job on %s could not give a sign of life: %s", row._meta.label, error)
        finally:
            connection.close()


def lost_before(now: datetime, *, of: str) -> datetime:
    """What of these (`of` names them) was asked for before this instant, and has not begun, has lost its job.

    When jobs run in this one process, those from before it started are lost for certain; when a broker keeps them, all
    that waited when it lost its data, which is noticed once.
    """
    late = now - STUCK_AFTER
    if settings.JOBS_EMBEDDED:
        return max(late, STARTED_AT)
    return now if cache.add(BROKER_KEEPS + of, True, None) else late


def lost(rows: models.QuerySet[Any], *, asked_before: datetime, now: datetime) -> list[tuple[int, str]]:
    """Key and status of the rows whose job must be asked for again; they count as asked for `now`.

    Two callers at once never get the same row.
    """
    silent_since = now - DEAD_AFTER
    if settings.JOBS_EMBEDDED:
        silent_since = max(silent_since, STARTED_AT)
    stuck = rows.filter(status__in=UNFINISHED).filter(
        Q(worked_at=None, queued_at__lt=asked_before) | Q(worked_at__lt=silent_since)
    )
    return [
        (pk, status)
        for pk, status in stuck.order_by("queued_at").values_list("pk", "status")
        if stuck.filter(pk=pk).update(queued_at=now, worked_at=None)
    ]
