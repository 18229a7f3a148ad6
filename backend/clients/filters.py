"""Filters of the list of businesses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from clients.domain import access
from clients.models import Client, open_at
from common import clock
from common.filters import TenantFilterSet

FURTHEST_DAYS = 3650


class ClientFilters(TenantFilterSet):
    """`?status=trial&trial_ends_within_days=7&locked=false`."""

    client = filters.NumberFilter(field_name="pk", label="Id of the business.")
    subscription_status = filters.ChoiceFilter(choices=[(name, name) for name in access.SUBSCRIPTIONS])
    trial_ends_before = filters.IsoDateTimeFilter(field_name="trial_ends_at", lookup_expr="lt")
    trial_ends_after = filters.IsoDateTimeFilter(field_name="trial_ends_at", lookup_expr="gte")
    trial_ends_within_days = filters.NumberFilter(
        method="ending_soon",
        min_value=0,
        max_value=FURTHEST_DAYS,
        label="On trial, and the trial ends within so many days from now.",
    )
    locked = filters.BooleanFilter(
        method="locked_now", label="Whether the business may at this instant neither write nor play."
    )
    deleting = filters.BooleanFilter(
        field_name="deletion_requested_at",
        lookup_expr="isnull",
        exclude=True,
        label="Whether its deletion was asked for.",
    )

    class Meta:
        model = Client
        fields = ["client", "status"]

    def ending_soon(self, clients: QuerySet[Client], name: str, days: Any) -> QuerySet[Client]:
        """Running trials that end before `days` are over."""
        now = clock.now()
        until = now + timedelta(days=float(days))
        return clients.filter(status=Client.Status.TRIAL, trial_ends_at__gt=now, trial_ends_at__lte=until)

    def locked_now(self, clients: QuerySet[Client], name: str, locked: bool) -> QuerySet[Client]:
        """The locked, or the open."""
        is_open = open_at(clock.now())
        return clients.exclude(is_open) if locked else clients.filter(is_open)
