"""Jobs on businesses."""

from __future__ import annotations

from celery import shared_task

from clients import credits, erasing, services
from common import clock, jobs


@shared_task(name="clients.close_lapsed_trials")
def close_lapsed_trials() -> None:
    """Suspends the businesses whose trial has ended."""
    services.close_lapsed_trials(now=clock.now())


@shared_task(name="clients.give_back_lost_credits")
def give_back_lost_credits() -> None:
    """Gives back the credits for calls whose worker died."""
    credits.give_back_lost(now=clock.now())


@shared_task(name="clients.erase")
def erase(client_id: int) -> None:
    """Removes one business whose deletion was confirmed."""
    erasing.erase(client_id=client_id)


@shared_task(name="clients.resume_erasing")
def resume_erasing() -> None:
    """Asks anew for the deletions that died with their process."""
    for client_id in erasing.confirmed():
        jobs.enqueue(erase, client_id)
