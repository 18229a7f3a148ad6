"""When a business was locked: nothing is written ahead for it then, and this is what explains that time.

A row for each play would grow without end for a business that has left. The tick keeps one row for each stretch
instead, longer with every look; what was due in it is worked out when somebody asks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from common import clock
from schedules.models import ClientLock
from zones.domain import Span

LOOK = timedelta(minutes=10)
"""How often a locked business is looked at again; it is marked besides when it changes."""


def remember(since: Mapping[int, datetime], *, now: datetime) -> None:
    """These clients (by key) are locked, the first time since then: their stretch reaches to the next look."""
    known = ClientLock.objects.filter(client_id__in=since, until__gte=now - LOOK)
    going_on = set(known.values_list("client_id", flat=True))
    known.update(until=now + LOOK)
    ClientLock.objects.bulk_create(
        ClientLock(client_id=client_pk, since=min(first, now), until=now + LOOK)
        for client_pk, first in since.items()
        if client_pk not in going_on
    )


def lift(client_pks: Collection[int], *, now: datetime) -> None:
    """These clients are open: a stretch that was thought to go on ends here."""
    ClientLock.objects.filter(client_id__in=client_pks, until__gt=now).update(until=now)


def locked_before(client_pk: int, now: datetime) -> tuple[Span, ...]:
    """When this business was locked before `now`, in order."""
    rows = ClientLock.objects.filter(client_id=client_pk, since__lt=now).order_by("since")
    return tuple(
        Span(clock.to_us(since), clock.to_us(min(until, now)))
        for since, until in rows.values_list("since", "until")
    )
