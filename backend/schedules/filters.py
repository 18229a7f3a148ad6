"""Filters of the list of schedules."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from common.filters import TenantFilterSet
from schedules.models import Schedule, ScheduleAnnouncement, ScheduleDevice, ScheduleFloor


class ScheduleFilter(TenantFilterSet):
    """`?floor=3&enabled=true`. A floor finds also what names one of its devices, a device also what names its floor."""

    schedule_type = filters.ChoiceFilter(choices=Schedule.Type.choices)
    enabled = filters.BooleanFilter()
    floor = filters.NumberFilter(method="on_floor", label="Id of a floor on which it fires.")
    device = filters.NumberFilter(method="on_device", label="Id of a device on which it fires.")
    announcement = filters.NumberFilter(method="with_announcement", label="Id of an announcement in it.")

    def on_floor(self, schedules: QuerySet[Schedule], name: str, value: Any) -> QuerySet[Schedule]:
        """Those that fire on this floor or on a device of it."""
        return schedules.filter(
            Q(pk__in=ScheduleFloor.objects.filter(floor_id=value).values("schedule_id"))
            | Q(pk__in=ScheduleDevice.objects.filter(device__floor_id=value).values("schedule_id"))
        )

    def on_device(self, schedules: QuerySet[Schedule], name: str, value: Any) -> QuerySet[Schedule]:
        """Those that fire on this device, by its name or its floor's."""
        return schedules.filter(
            Q(pk__in=ScheduleDevice.objects.filter(device_id=value).values("schedule_id"))
            | Q(pk__in=ScheduleFloor.objects.filter(floor__devices=value).values("schedule_id"))
        )

    def with_announcement(self, schedules: QuerySet[Schedule], name: str, value: Any) -> QuerySet[Schedule]:
        """Those that hold this announcement."""
        entries = ScheduleAnnouncement.objects.filter(announcement_id=value)
        return schedules.filter(pk__in=entries.values("schedule_id"))
