"""Periodic work on tables of several apps."""

from __future__ import annotations

import logging

from celery import shared_task

from common import clock
from core import retention

logger = logging.getLogger(__name__)


@shared_task(name="core.forget_old")
def forget_old() -> None:
    """Removes what is older than the time it is kept."""
    for done in retention.forget_old(now=clock.now()):
        if done.removed:
            left = "" if done.complete else "; more is left for the next run"
            logger.info("removed %s old rows of %s%s", done.removed, done.model, left)
