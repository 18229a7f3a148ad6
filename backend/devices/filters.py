"""Filters of the list of speakers."""

from __future__ import annotations

from typing import Any

import django_filters

from common import clock
from common.filters import TenantFilterSet
from devices.models import Device


class DeviceFilter(TenantFilterSet):
    """`floor`, `client`, `status` (by the lease, not by the last recorded change), `muted`, `no_floor`."""

    status = django_filters.ChoiceFilter(choices=Device.Status.choices, method="by_lease")
    no_floor = django_filters.BooleanFilter(field_name="floor", lookup_expr="isnull")
    floor = django_filters.NumberFilter(field_name="floor_id")

    muted = django_filters.BooleanFilter()

    class Meta:
        model = Device
        fields: list[
            str
        ] = []  # all are declared: a generated one would be looked up while no scope is in force

    def by_lease(self, queryset: Any, name: str, value: str) -> Any:
        """Those that are online or offline now."""
        now = clock.now()
        return queryset.online(now) if value == Device.Status.ONLINE else queryset.offline(now)
