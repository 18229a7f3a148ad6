"""A job that lasts until it is told to end, for a worker that is told to `--include core.tests.long_job`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from celery import shared_task
from django.core.cache.backends.redis import RedisCache
from kombu import Connection

from common import clock, heartbeat
from core.celery import app
from core.periodic import JOBS, TABLE, TICKS
from core.tests.processes import until

NAME = "tests.long_job"
TICKED = {entry.task for entry in TABLE if entry.queue == TICKS and entry.every_s <= 5}
CHORE = "webhooks.send_due"


@shared_task(name=NAME)
def long_job(folder: str) -> None:
    """Leaves a file `begun` in the folder, and ends when there is one named `enough`."""
    (Path(folder) / "begun").touch()
    while not (Path(folder) / "enough").exists():
        time.sleep(0.05)


def delays_no_tick(redis_url: str, folder: Path, explain: Callable[[], str]) -> None:
    """While the only worker of jobs has a long one in hand, every tick of a running beat is done, and no chore.

    Chores are, once the worker is free, though another job waits before them.
    """
    signs = RedisCache(redis_url, {})

    def done_since(names: set[str], since: int) -> bool:
        beats = signs.get_many(map(heartbeat.key, names))
        return len(beats) == len(names) and min(beats.values()) > since

    try:
        with Connection(redis_url) as broker:
            for _ in range(2):
                app.send_task(NAME, (str(folder),), connection=broker, queue=JOBS)
        until((folder / "begun").exists, explain)
        for _ in range(2):
            since = clock.to_us(clock.now())
            until(lambda since=since: done_since(TICKED, since), explain)
        assert not done_since({CHORE}, since)
    finally:
        (folder / "enough").touch()
    until(lambda: done_since({CHORE}, since), explain)
