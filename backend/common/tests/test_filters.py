"""A page of a list is the same page when rows are equal in what they are ordered by."""

from __future__ import annotations

from typing import Any

import pytest
from django_filters import rest_framework as filters
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from common.filters import StableOrdering, TenantFilterSet
from users.models import User


class ListLike:
    """What an ordering filter reads of a view."""

    ordering_fields = ("role",)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", ["username", "pk"]),
        ("?ordering=-role", ["-role", "-pk"]),
        ("?ordering=password", ["username", "pk"]),
    ],
)
def test_the_id_decides_between_equal_rows(asked: str, expected: list[str]) -> None:
    request = Request(APIRequestFactory().get(f"/{asked}"))
    view: Any = ListLike()
    assert StableOrdering().get_ordering(request, User.everyone.all(), view) == expected


class Filters(TenantFilterSet):
    """One of each kind that has bounds."""

    number = filters.NumberFilter(field_name="floor_id")
    since = filters.IsoDateTimeFilter(field_name="date_joined", lookup_expr="gte")


@pytest.mark.parametrize(
    ("query", "good"),
    [
        ({"number": str(2**63 - 1)}, True),
        ({"number": str(2**63)}, False),
        ({"number": str(-(2**63))}, False),
        ({"since": "2026-01-01T00:00:00+14:00"}, True),
        ({"since": "2026-01-01T00:00:00-15:59"}, False),
    ],
)
def test_a_query_keeps_to_what_databases_compare_with(query: dict[str, str], good: bool) -> None:
    assert Filters(query, queryset=User.everyone.all()).form.is_valid() is good
