"""Periodic work on devices."""

from __future__ import annotations

from celery import shared_task

from common import clock
from devices import outages, presence, services


@shared_task(name="devices.watch_presence")
def watch_presence() -> None:
    """Writes the changes of presence and the outages, and tells of those that last."""
    now = clock.now()
    services.watch_presence(now=now)
    outages.watch_outages(now=now)
    presence.tell_presence(now=now)


@shared_task(name="devices.watch_locks")
def watch_locks() -> None:
    """Tells devices of a trial that has ended."""
    services.watch_locks(now=clock.now())
