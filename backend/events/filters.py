"""Filters of the list of plays."""

from __future__ import annotations

import django_filters

from common.filters import TenantFilterSet
from events.domain import ledger
from events.models import PlayEvent


class PlayEventFilter(TenantFilterSet):
    """`device`, `floor`, `announcement`, `client`, `status`, `reason`, `event_type`, `priority`, `play_id`, and a
    time range `from` ≤ `play_at` < `to`."""

    device = django_filters.NumberFilter(field_name="device_id")
    floor = django_filters.NumberFilter(field_name="floor_id")
    announcement = django_filters.NumberFilter(field_name="announcement_id")
    status = django_filters.MultipleChoiceFilter(choices=PlayEvent.Status.choices)
    reason = django_filters.ChoiceFilter(choices=[(code, code) for code in ledger.REASONS if code])
    type = django_filters.ChoiceFilter(field_name="event_type", choices=PlayEvent.Type.choices)

    priority = django_filters.ChoiceFilter(choices=ledger.PRIORITY_CHOICES)
    play_id = django_filters.UUIDFilter()

    class Meta:
        model = PlayEvent
        fields: list[
            str
        ] = []  # all are declared: a generated one would be looked up while no scope is in force


PlayEventFilter.base_filters["from"] = django_filters.IsoDateTimeFilter(
    field_name="play_at", lookup_expr="gte", label="At or after this instant"
)
PlayEventFilter.base_filters["to"] = django_filters.IsoDateTimeFilter(
    field_name="play_at", lookup_expr="lt", label="Before this instant"
)
