"""Side effects after the commit that caused them: Celery in production, a bounded executor embedded.

    jobs.enqueue(generate_tts_audio, announcement.pk)

Nothing runs if the transaction rolls back. A job takes ids, enters the scope it needs by itself, and must bear
being run twice: a broker may deliver again, and what a dead process left undone is found and run anew.
"""

from __future__ import annotations

import atexit
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from threading import BoundedSemaphore, Lock
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connections, transaction

from common import logs, metrics

logger = logging.getLogger(__name__)
ended = logging.getLogger(logs.JOBS)

WORKERS = 2
MOST_WAITING = 1000
REQUEST_ID = "request_id"
"""The header of a job that names the request which ordered it."""


def run_logged(task: str, call: Callable[[], Any], when_it_fails: str, *, request_id: str = "") -> bool:
    """Runs a job or periodic task here, as `core.celery` has a worker run it; whether it ended well.

    Its lines tell which one it is and which request ordered it. A failure is logged with these words.
    """
    began = time.perf_counter()
    well = False
    with logs.about(task=task, task_id=uuid.uuid4().hex, request_id=request_id):
        try:
            call()
            well = True
        except Exception:
            logger.exception(when_it_fails)
        note_ended(task, well=well, seconds=time.perf_counter() - began)
    return well


def note_ended(task: str, *, well: bool, seconds: float) -> None:
    """Counts a job or periodic task that has ended; one that a request ordered has a line as well."""
    outcome = "done" if well else "failed"
    metrics.JOB_SECONDS.labels(task, outcome).observe(seconds)
    if logs.request_id_in_force():
        ended.info("%s %s", task, outcome, extra={"outcome": outcome, "ms": round(seconds * 1000, 1)})


class QueueFull(RuntimeError):
    """The embedded executor holds as many jobs as it may."""


class Executor:
    """A bounded pool of threads for the embedded footprint. A failed job is logged with its name and ids."""

    def __init__(self, *, workers: int = WORKERS, most_waiting: int = MOST_WAITING) -> None:
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="job")
        self._room = BoundedSemaphore(most_waiting)
        self._held = 0
        self._counting = Lock()

    @property
    def held(self) -> int:
        """How many jobs wait or run."""
        return self._held

    def submit(self, name: str, call: Callable[[], Any]) -> None:
        """Runs `call` soon on a thread of the pool; raises `QueueFull` rather than grow without bound.

        Once the server stops, nothing is taken: the row that asks for the work is found at the next start.
        """
        if not self._room.acquire(blocking=False):
            raise QueueFull(f"{MOST_WAITING} jobs wait already; {name} was not taken")
        self._hold(1)
        try:
            self._pool.submit(Context().run, self._run, name, call, logs.request_id_in_force())
        except RuntimeError:  # what a pool that was shut down raises
            self._hold(-1)
            self._room.release()
            logger.info("the server stops; job %s is left for the next start", name)

    def _hold(self, more: int) -> None:
        with self._counting:
            self._held += more

    def _run(self, name: str, call: Callable[[], Any], request_id: str) -> None:
        close_old_connections()
        try:
            run_logged(name, call, f"job {name} failed", request_id=request_id)
        finally:
            self._hold(-1)
            self._room.release()
            connections.close_all()

    def stop(self) -> None:
        """Waits for the running jobs; those that wait are found again at the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)


_executor: Executor | None = None
_executor_lock = Lock()


def executor() -> Executor:
    """The process's own executor, made on first use."""
    global _executor
    with _executor_lock:
        if _executor is None:
            _executor = Executor()
            atexit.register(_executor.stop)
        return _executor


def enqueue(task: Any, *ids: Any, missed: Callable[[], object] = lambda: None) -> None:
    """Runs the Celery task with these ids once the current transaction has committed.

    A refusal to take the job (no broker, queue full) is logged: the row that asks for the work is committed,
    and the sweeper of its app finds it again. `missed` is called then, to have it found soon; so it is, embedded, after
    a job that a broker would give out again (the task's `autoretry_for`).
    """
    transaction.on_commit(lambda: _hand_in(task, ids, missed), robust=True)


def _hand_in(task: Any, ids: tuple[Any, ...], missed: Callable[[], object]) -> None:
    try:
        _start(task, ids, missed)
    except Exception:
        missed()
        raise


def _start(task: Any, ids: tuple[Any, ...], missed: Callable[[], object]) -> None:
    if settings.JOBS_EMBEDDED:
        executor().submit(task.name, lambda: _run_here(task, ids, missed))
    else:
        headers = {REQUEST_ID: logs.request_id_in_force()}
        task.apply_async(args=ids, ignore_result=True, retry=False, headers=headers)


def _run_here(task: Any, ids: tuple[Any, ...], missed: Callable[[], object]) -> None:
    try:
        task(*ids)
    except getattr(task, "autoretry_for", ()):
        missed()
        raise
