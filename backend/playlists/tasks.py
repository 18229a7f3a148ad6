"""Periodic work on the programmes."""

from __future__ import annotations

from celery import shared_task

from common import clock
from playlists import airing, renewal


@shared_task(name="playlists.tick")
def tick() -> None:
    """Renews the programmes whose rows have changed, then writes their announcements into the ledger ahead."""
    renewal.renew(now=clock.now())
    airing.write_ahead(now=clock.now())
