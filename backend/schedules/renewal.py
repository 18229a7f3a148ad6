"""Marks the schedules that a change touches, in the transaction of that change; the tick sees to the rest.

So a burst of changes is worked off once, and no change is lost with the process that made it. The new stamp tells
whoever keeps something that is made of a schedule (`plans.kept`) that it is another one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, F, Q, Value, When

from common import clock
from common.stamps import new_stamp
from common.tenancy import system_scope
from schedules.models import Schedule


def changed(*which: Q, now: datetime | None = None, **lookups: Any) -> None:
    """Marks these schedules: `changed(pk=7)`, `changed(floors=floor)`.

    Where a least gap holds, one schedule's change may let another's announcement through, or hold it back: all of
    that business are marked.
    """
    instant = Value(now or clock.now())
    with system_scope("whoever changes a row changes the schedules made of it"):
        touched = Schedule.objects.filter(*which, **lookups).order_by()
        spaced = touched.filter(client__announcement_gap_minutes__gt=0).values("client_id")
        marked = Schedule.objects.filter(Q(pk__in=touched.values("pk")) | Q(client_id__in=spaced))
        # One that is off and has nothing on the record ahead has nothing to be seen to.
        marked.filter(Q(enabled=True) | Q(planned_until__isnull=False)).update(
            stale=True,
            stamp=new_stamp(),
            planned_until=Case(When(planned_until__lt=instant, then=F("planned_until")), default=instant),
        )
