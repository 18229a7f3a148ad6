"""Filters of lists that several apps share."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from rest_framework.filters import OrderingFilter

from common.tenancy import NOTHING, entered


class TenantFilterSet(filters.FilterSet):  # type: ignore[misc]  # django-filter is untyped
    """The ground of a list's filters: `?client=7`, of use to sync2gear's staff.

    Keys to other rows are `NumberFilter(field_name="floor_id")`: another tenant's id finds nothing, since the
    list is already in the caller's scope, and nothing is looked up when the class is made.
    """

    client = filters.NumberFilter(field_name="client_id", label="Id of the business.")

    @classmethod
    def get_filters(cls) -> Any:
        """The filters of the class. They are made at import, when nobody is in any scope and nothing is read."""
        with entered(NOTHING):
            return super().get_filters()


class StableOrdering(OrderingFilter):
    """`?ordering=-created_at,name`; equal rows follow their id, so that no row is on two pages or on none."""

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> list[str]:
        """The columns to order by, ending in the id."""
        asked = super().get_ordering(request, queryset, view) or queryset.model._meta.ordering
        return [*asked, "pk"]
