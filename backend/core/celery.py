"""The Celery application: `celery -A core worker`, `celery -A core beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_success

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

app = Celery("core")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_success.connect
def periodic_work_lives(sender: Any, **kwargs: Any) -> None:
    """Notes that a task of the periodic table has ended well."""
    from common import clock, heartbeat
    from core.periodic import NAMES

    if sender.name in NAMES:
        heartbeat.beat(sender.name, now=clock.now())
