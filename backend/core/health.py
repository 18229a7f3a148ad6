"""Is this process alive, and can it serve? For load balancers, orchestrators, and whoever is called at night.

`/health/live` says that the process answers: a restart mends what it denies. `/health/ready` asks what it stands on; a
process that is not ready should be sent no requests, and a restart of it would not help.

Every check has a thread and WITHIN_S seconds: one that hangs is told as such and holds up neither the others nor the
answer, and it is not asked again until it ends (`common.deadline`).
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache, partial
from pathlib import Path

from django.conf import settings
from django.core.cache import cache as shared
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from common import clock, deadline, heartbeat

SCHEDULER = "schedules.tick"
SILENT_FOR = timedelta(seconds=30)
"""The tick comes every two seconds and writes 90 s ahead: after this somebody should look, and nothing is late yet."""
PROOF_BYTES = 64 * 1024
WITHIN_S = 3.0
"""Load balancers and orchestrators wait for five seconds, or more."""

logger = logging.getLogger(__name__)


class Unwell(Exception):
    """A check failed: a sentence for an operator, which names no secret and no address."""


def check_database() -> None:
    """It answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@cache
def check_migrations() -> None:
    """None is missing. Once that is so it stays so for this process: its code does not change."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        raise Unwell(f"{missing} migrations are not applied: run manage.py migrate.")


def check_cache() -> None:
    """What is written can be read: in production this is Redis, which also carries messages and jobs."""
    key, word = "health", secrets.token_hex(8)
    shared.set(key, word, 10)
    if shared.get(key) is None:
        raise Unwell("What is written to the cache is not there.")


def check_broker() -> None:
    """Jobs can be handed over."""
    from core.celery import app

    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=0, timeout=2)


def check_scheduler() -> None:
    """It has ticked lately."""
    last = heartbeat.last_beats([SCHEDULER]).get(SCHEDULER)
    if last is None:
        raise Unwell("The scheduler has not ticked yet: does a beat run, and a worker?")
    silent = clock.now() - last
    if silent > SILENT_FOR:
        raise Unwell(
            f"The scheduler has been silent for {silent.total_seconds():.0f} s: look at beat and workers."
        )


def check_storage() -> None:
    """Media can be written on a disk of ours, and a bucket can be reached: to write into it would cost money."""
    if not isinstance(default_storage, FileSystemStorage):
        default_storage.exists("health")
        return
    folder = Path(default_storage.location)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(PROOF_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Unwell("The disk that holds the media is full.") from error
        raise


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "migrations": check_migrations,
    "cache": check_cache,
    "broker": check_broker,
    "scheduler": check_scheduler,
    "storage": check_storage,
}
EMBEDDED_WITHOUT = frozenset({"broker"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `problem` is empty if all is well."""

    name: str
    problem: str
    ms: float


@lru_cache(maxsize=1)
def findings(second: int) -> tuple[Finding, ...]:
    """All checks of this footprint at once; made once in each `second`, however many ask."""
    left_out = EMBEDDED_WITHOUT if settings.JOBS_EMBEDDED else frozenset()
    asked = {f"health {name}": partial(_finding, name) for name in CHECKS if name not in left_out}
    answers = deadline.together(asked, within_s=WITHIN_S)
    return tuple(
        answer.result() if answer.done() else _hanging(name.removeprefix("health "))
        for name, answer in answers.items()
    )


def _finding(name: str) -> Finding:
    began = time.perf_counter()
    problem = ""
    try:
        CHECKS[name]()
    except Unwell as unwell:
        problem = str(unwell)
    except DatabaseError:
        logger.exception("health check %s failed", name)
        problem = "The database does not answer."
    except Exception:  # whatever a cache, broker or storage raises: not to answer would help nobody
        logger.exception("health check %s failed", name)
        problem = "It does not answer; the log has the reason."
    return Finding(name, problem, round((time.perf_counter() - began) * 1000, 1))


def _hanging(name: str) -> Finding:
    logger.error("health check %s has not answered within %s s", name, WITHIN_S)
    return Finding(name, f"It has not answered within {WITHIN_S:g} s.", WITHIN_S * 1000)


def live(request: HttpRequest) -> JsonResponse:
    """200: the process answers."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 if all checks are well, else 503; says what each found."""
    found = findings(int(time.monotonic()))
    well = not any(finding.problem for finding in found)
    body = {
        "status": "ok" if well else "unwell",
        "checks": {
            each.name: {"ok": not each.problem, "ms": each.ms}
            | ({"problem": each.problem} if each.problem else {})
            for each in found
        },
    }
    return JsonResponse(body, status=200 if well else 503)
