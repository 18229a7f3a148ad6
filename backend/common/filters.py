"""Filters of lists that several apps share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import OrderingFilter, SearchFilter

from common.tenancy import NOTHING, entered
from common.validators import LARGEST_INTEGER

FARTHEST_OFFSET = timedelta(hours=15)
"""From UTC, that PostgreSQL reads (manual, 8.5.1.4: ±15:59:59); zones reach from −12 to +14 hours."""


def validate_instant(instant: datetime) -> None:
    """Raises `ValidationError` for an offset that no zone has."""
    offset = instant.utcoffset()
    if offset is not None and abs(offset) > FARTHEST_OFFSET:
        raise ValidationError("No time zone is that far from UTC.", code="invalid")


BOUNDS: dict[type[forms.Field], list[Any]] = {
    forms.DecimalField: [MinValueValidator(-LARGEST_INTEGER), MaxValueValidator(LARGEST_INTEGER)],
    forms.DateTimeField: [validate_instant],
}
"""What a value of a query must keep to, by the kind of its field: no database compares with more."""


class TenantFilterSet(filters.FilterSet):  # type: ignore[misc]  # django-filter is untyped
    """The ground of a list's filters: `?client=7`, of use to sync2gear's staff.

    Keys to other rows are `NumberFilter(field_name="floor_id")`: another tenant's id finds nothing, since the
    list is already in the caller's scope, and nothing is looked up when the class is made.
    """

    base_filters: dict[str, Any]
    client = filters.NumberFilter(field_name="client_id", label="Id of the business.")

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        # Filters and fields are copied for each request: of those that it does not name, a dozen most often, none is.
        self.base_filters = {name: each for name, each in self.base_filters.items() if name in (data or ())}
        super().__init__(data, *args, **kwargs)

    @classmethod
    def get_filters(cls) -> Any:
        """The filters of the class. They are made at import, when nobody is in any scope and nothing is read."""
        with entered(NOTHING):
            return super().get_filters()

    @property
    def form(self) -> forms.Form:
        """What reads the query, its values within what databases compare with."""
        if not hasattr(self, "_form"):
            self._form = forms.Form(self.data if self.is_bound else None, prefix=self.form_prefix)
            for name, each in self.filters.items():
                for kind, validators in BOUNDS.items():
                    if isinstance(each.field, kind):
                        each.field.validators.extend(validators)
                self._form.fields[name] = each.field
        return self._form


SEARCHED = 50_000
"""Rows of a log that a search looks through."""


def newest(rows: Any, ordering: Sequence[str]) -> Any:
    """The first SEARCHED of these rows in this order, without an order.

    A word that is nowhere would otherwise be looked for in all the years of a log.
    """
    column, descending = ordering[0].lstrip("-"), ordering[0].startswith("-")
    last = rows.order_by(*ordering).values_list(column, flat=True)[SEARCHED - 1 : SEARCHED].first()
    return rows if last is None else rows.filter(**{f"{column}__{'gte' if descending else 'lte'}": last})


class LogSearch(SearchFilter):
    """`?search=` in a log that grows without bound: in the newest SEARCHED rows that the other filters leave."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        """The rows in which the words are."""
        if self.get_search_terms(request):
            queryset = newest(queryset, getattr(view, "ordering", None) or queryset.model._meta.ordering)
        return super().filter_queryset(request, queryset, view)


class StableOrdering(OrderingFilter):
    """`?ordering=-created_at,name`; equal rows follow their id, so that no row is on two pages or on none.

    The id goes the way of the column before it: an index over both gives the rows as they are wanted.
    """

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> list[str]:
        """The columns to order by, ending in the id."""
        asked = super().get_ordering(request, queryset, view) or queryset.model._meta.ordering
        columns = [name for name in asked if name.lstrip("-") not in {"pk", "id"}]
        return [*columns, "-pk" if (columns or asked)[-1].startswith("-") else "pk"]


LOG_FILTERS = (DjangoFilterBackend, LogSearch, StableOrdering)
"""`filter_backends` of a log."""
