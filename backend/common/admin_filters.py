"""Filters of the admin's lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RangeDateTimeFilter,
)

ENDS = (("from", "gte", "00:00"), ("to", "lte", "23:59:59.999999"))
"""Of a span: its name in the query, the lookup, and the time that a day alone means."""


class SpanFilter(RangeDateTimeFilter):
    """From an instant to another, both included, in UTC. What is no date is passed over."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows within."""
        for end, lookup, otherwise in ENDS:
            name = f"{self.parameter_name}_{end}"
            day, time = (self.used_parameters.get(f"{name}_{part}") for part in "01")
            try:
                instant = datetime.fromisoformat(f"{day}T{time or otherwise}").replace(tzinfo=UTC)
            except ValueError:
                continue
            queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": instant})
        return queryset


def by_row(name: str) -> tuple[str, Any]:
    """By a foreign key whose table may be long: typed, and completed."""
    return name, AutocompleteSelectFilter


def by_choice(name: str) -> tuple[str, Any]:
    """By a column with choices."""
    return name, ChoicesDropdownFilter


def by_time(name: str) -> tuple[str, Any]:
    """By a span of time."""
    return name, SpanFilter
