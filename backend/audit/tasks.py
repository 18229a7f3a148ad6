"""Periodic work on the audit trail."""

from __future__ import annotations

from celery import shared_task

from audit import sealing
from common import clock


@shared_task(name="audit.seal")
def seal() -> None:
    """Chains what has been committed since."""
    sealing.seal(now=clock.now())
