"""The Celery application: `celery -A core worker`, `celery -A core beat`."""

import logging.config
import os
import time
from contextlib import ExitStack
from typing import Any

from celery import Celery, states
from celery.signals import (
    setup_logging,
    task_postrun,
    task_prerun,
    task_success,
    worker_process_init,
    worker_process_shutdown,
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

app = Celery("core")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_django_does(**kwargs: Any) -> None:
    """Workers and beat write their logs as the web processes do, instead of in Celery's own format."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@task_success.connect
def note_the_heartbeat(sender: Any, **kwargs: Any) -> None:
    """A task has ended well."""
    from common import clock, heartbeat

    heartbeat.beat(sender.name, now=clock.now())


@task_prerun.connect
def begin_the_work(task_id: str, task: Any, **kwargs: Any) -> None:
    """A worker takes a job up: its lines tell which one it is, and which request ordered it."""
    from common import jobs, logs

    ordered_by = (task.request.headers or {}).get(jobs.REQUEST_ID, "")
    at_work = ExitStack()
    at_work.enter_context(logs.about(task=task.name, task_id=task_id, request_id=ordered_by))
    task.request.update(at_work=at_work, began=time.perf_counter())


@task_postrun.connect
def end_the_work(task: Any, state: str | None, **kwargs: Any) -> None:
    """It has ended, one way or the other."""
    from common import jobs, metrics

    if state != states.RETRY:  # it has not ended: the broker gives it out again
        jobs.note_ended(
            task.name, well=state == states.SUCCESS, seconds=time.perf_counter() - task.request.began
        )
    task.request.at_work.close()
    metrics.share(at_most_every_s=metrics.SHARE_EVERY_S)


@worker_process_init.connect
def settle(**kwargs: Any) -> None:
    """A process of a worker has loaded what it needs."""
    from common import memory

    memory.settle()


@worker_process_shutdown.connect
def tell_the_last(**kwargs: Any) -> None:
    """What this process of a worker has counted since the last time."""
    from common import metrics

    metrics.leave()
