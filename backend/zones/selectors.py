"""Reads about floors."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from zones.models import Floor


def with_device_counts(floors: QuerySet[Floor], *, now: datetime) -> QuerySet[Floor]:
    """Each floor with `devices_count` and `devices_online` (the lease runs at `now`), in the same query."""
    # Devices are an app above this one: what counts as online is asked of them through the relation.
    device: Any = Floor._meta.get_field("devices").related_model
    return floors.annotate(
        devices_count=_number_of(device.objects.all()), devices_online=_number_of(device.objects.online(now))
    )


def _number_of(devices: Any) -> Coalesce:
    """The number of these devices on the floor of the outer query."""
    per_floor = devices.filter(floor=OuterRef("pk")).order_by().values("floor").annotate(number=Count("pk"))
    return Coalesce(Subquery(per_floor.values("number"), output_field=IntegerField()), 0)
