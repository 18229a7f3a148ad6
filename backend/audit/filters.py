"""Filters of the audit trail, for its list and its export."""

from __future__ import annotations

from django_filters import rest_framework as filters

from audit.models import AuditLog
from common.filters import TenantFilterSet


class Words(filters.BaseInFilter, filters.CharFilter):
    """Any of several words, separated by commas."""


class AuditLogFilters(TenantFilterSet):
    """`action` (several separated by commas), `resource`, `resource_id`, `user`, `real_user`, `client`, `request_id`,
    and a time range `from` ≤ `timestamp` < `to`."""

    action = Words(lookup_expr="in", label="What was done: `play`, `update`, …; several separated by commas.")
    resource = filters.CharFilter(label="Kind of thing: `floor`, `device`, …")
    resource_id = filters.CharFilter(label="Id of the thing; of use together with `resource`.")
    user = filters.NumberFilter(field_name="user_id", label="Id of the person who acted.")
    real_user = filters.NumberFilter(
        field_name="real_user_id", label="Id of the member of sync2gear's staff who acted in somebody's name."
    )
    request_id = filters.CharFilter(label="`X-Request-ID` of the request that did it.")

    class Meta:
        model = AuditLog
        fields: list[str] = []


AuditLogFilters.base_filters["from"] = filters.IsoDateTimeFilter(
    field_name="timestamp", lookup_expr="gte", label="At or after this instant."
)
AuditLogFilters.base_filters["to"] = filters.IsoDateTimeFilter(
    field_name="timestamp", lookup_expr="lt", label="Before this instant."
)
