"""Work that comes back: one table, run by the ASGI process when embedded and by Celery beat in production.

Each entry is a Celery task that takes no arguments and may run twice at once without harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connections

from common import clock, heartbeat
from common.jobs import run_logged

JOBS = "celery"
"""Celery's own name for the queue of what is not said to be anywhere else."""
TICKS = "ticks"
"""The queue of what is short and must not wait for what is long: speech, measuring, mail, other people's servers.

A worker that is told nothing serves all queues; one that serves this one alone is never kept by a long job.
"""
CHORES = "chores"
"""The queue of what comes back and may take its time. Workers take from their queues in turn, so it waits for a free
one, and not behind the five hundred tracks that somebody has just uploaded: there each turn would expire."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task by its Celery name, how often it runs, and in which queue it waits."""

    task: str
    every_s: float
    queue: str = CHORES


TABLE = (
    Periodic("audit.seal", 1.0, TICKS),
    Periodic("events.sweep", 5.0, TICKS),
    Periodic("playlists.tick", 2.0, TICKS),
    Periodic("schedules.tick", 2.0, TICKS),
    Periodic("devices.watch_presence", 5.0, TICKS),
    Periodic("devices.watch_locks", 15.0, TICKS),
    Periodic("music.resume_unfinished", 10.0),
    Periodic("announcements.resume_unfinished", 10.0),
    Periodic("clients.resume_erasing", 60.0),
    Periodic("announcements.forget_unused_speech", 3600.0),
    Periodic("users.deliver_due_mails", 30.0),
    Periodic("webhooks.send_due", 5.0),
    Periodic("webhooks.tell_switched_off", 60.0),
    Periodic("ai_config.sweep_reservations", 60.0),
    Periodic("clients.give_back_lost_credits", 60.0),
    # What is due once a day comes every hour: a beat that is started anew begins to count from there.
    Periodic("common.sweep_media", 3600.0),
    Periodic("clients.close_lapsed_trials", 3600.0),
    Periodic("core.forget_old", 600.0),
)


def beat_schedule() -> dict[str, dict[str, Any]]:
    """The table as CELERY_BEAT_SCHEDULE. A beat that was away fires once, not for every missed turn."""
    return {
        entry.task: {
            "task": entry.task,
            "schedule": timedelta(seconds=entry.every_s),
            "options": {
                "expires": max(entry.every_s, 10.0),
                "ignore_result": True,
                "queue": entry.queue,
            },
        }
        for entry in TABLE
    }


class Ticking:
    """The table at work on this event loop; each run takes a thread, so that the loop never waits for it."""

    def __init__(self, tasks: list[asyncio.Task[None]]) -> None:
        self._tasks = tasks

    async def stop(self) -> None:
        """Ends all of it; a run that has begun is waited for by its thread, not by us."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def run_here() -> Ticking:
    """Starts every entry of the table on the running loop."""
    from core.celery import app

    app.loader.import_default_modules()
    loop = asyncio.get_running_loop()
    return Ticking([loop.create_task(_repeat(entry, app.tasks[entry.task])) for entry in TABLE])


async def _repeat(entry: Periodic, task: Callable[[], Any]) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        await asyncio.to_thread(Context().run, _run_once, entry, task)
        due = max(due + entry.every_s, loop.time())
        await asyncio.sleep(due - loop.time())


def _run_once(entry: Periodic, task: Callable[[], Any]) -> None:
    def run() -> None:
        task()
        heartbeat.beat(entry.task, now=clock.now())

    try:
        run_logged(entry.task, run, f"periodic task {entry.task} failed; it runs again in {entry.every_s} s")
    finally:
        connections.close_all()
