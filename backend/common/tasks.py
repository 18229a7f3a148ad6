"""Periodic work of the ground."""

from __future__ import annotations

from celery import shared_task

from common import clock, idempotency


@shared_task(name="common.forget_old_answers")
def forget_old_answers() -> None:
    """Deletes the answers to idempotent requests that are older than a day."""
    idempotency.forget_old(clock.now())
