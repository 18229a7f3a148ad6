"""Work that comes back."""

from __future__ import annotations

from celery import shared_task

from ai_config import reservations
from common import clock


@shared_task(name="ai_config.sweep_reservations")
def sweep_reservations() -> None:
    """Settles the calls whose worker died."""
    reservations.sweep(now=clock.now())
