"""The Celery application: `celery -A core worker`, `celery -A core beat`."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_success

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
