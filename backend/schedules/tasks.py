"""The scheduler's periodic work."""

from __future__ import annotations

from celery import shared_task

from common import clock
from schedules import airing


@shared_task(name="schedules.tick")
def tick() -> None:
    """Fires what is due soon, of all schedules."""
    airing.plan_ahead(now=clock.now())


@shared_task(name="schedules.process_interval_schedule")
def process_interval_schedule(schedule_id: int) -> None:
    """Fires what is due soon of one schedule, whatever its type; harmless beside the tick."""
    airing.plan_ahead(now=clock.now(), only=schedule_id)
