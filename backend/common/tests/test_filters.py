"""A page of a list is the same page when rows are equal in what they are ordered by."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from common.filters import StableOrdering
from users.models import User


class ListLike:
    """What an ordering filter reads of a view."""

    ordering_fields = ("role",)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", ["username", "pk"]),
        ("?ordering=-role", ["-role", "pk"]),
        ("?ordering=password", ["username", "pk"]),
    ],
)
def test_the_id_decides_between_equal_rows(asked: str, expected: list[str]) -> None:
    request = Request(APIRequestFactory().get(f"/{asked}"))
    view: Any = ListLike()
    assert StableOrdering().get_ordering(request, User.everyone.all(), view) == expected
