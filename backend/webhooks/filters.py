"""Filters of the lists of webhooks and of their deliveries."""

from __future__ import annotations

import django_filters

from common.filters import TenantFilterSet
from webhooks.models import TYPE_CHOICES, Webhook, WebhookDelivery


class WebhookFilter(TenantFilterSet):
    """`?is_active=true`, `?client=7`."""

    class Meta:
        model = Webhook
        fields = ["client", "is_active"]


class WebhookDeliveryFilter(django_filters.FilterSet):
    """`?status=failed`, `?type=device.offline`."""

    status = django_filters.ChoiceFilter(choices=WebhookDelivery.Status.choices)
    type = django_filters.ChoiceFilter(choices=TYPE_CHOICES)

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []  # all are declared, as in other filters of what is read in a scope
