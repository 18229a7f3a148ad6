"""Periodic work on the ledger."""

from __future__ import annotations

from celery import shared_task

from common import clock
from events import sweeper


@shared_task(name="events.sweep")
def sweep() -> None:
    """Closes events whose time is over."""
    sweeper.sweep(now=clock.now())
