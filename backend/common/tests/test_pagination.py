"""Pages by cursor: every row once, whatever comes meanwhile, and nothing but our own cursors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from audit.models import AuditLog
from common.errors import Refusal
from common.pagination import CursorPages, beyond

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEWEST_FIRST = ("-timestamp", "pk")


def entries(*minutes: int) -> list[int]:
    """Entries at these minutes after noon; several may have the same one. Their ids."""
    rows = [
        AuditLog(
            action="play", resource="x", resource_id=n, details="{}", timestamp=NOON + timedelta(minutes=at)
        )
        for n, at in enumerate(minutes)
    ]
    for row in rows:
        row.save()
    return [row.pk for row in rows]


def page(
    url: str = "http://shop.example/api/rows/?limit=2", *, ordering: tuple[str, ...] = NEWEST_FIRST
) -> tuple[list[int], dict[str, Any]]:
    """The ids of a page, and the whole answer."""
    pages = CursorPages()
    rows = pages.paginate_queryset(
        AuditLog.everything.order_by(*ordering), Request(APIRequestFactory().get(url))
    )
    ids = [row.pk for row in rows]
    return ids, pages.get_paginated_response(ids).data


def walk(url: str, way: str, **options: Any) -> list[list[int]]:
    """All pages from this one on."""
    found = []
    while url:
        ids, answer = page(url, **options)
        found.append(ids)
        url = answer[way]
    return found


@pytest.mark.parametrize("ordering", [("-timestamp", "pk"), ("timestamp", "pk"), ("-pk",), ("action", "-pk")])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 200])
def test_there_and_back_every_row_is_on_one_page(ordering: tuple[str, ...], limit: int) -> None:
    entries(5, 1, 1, 1, 4, 1, 9)
    everything = [row.pk for row in AuditLog.everything.order_by(*ordering)]
    start = f"http://shop.example/?limit={limit}"
    there = walk(start, "next", ordering=ordering)
    assert [pk for ids in there for pk in ids] == everything
    assert all(len(ids) == limit for ids in there[:-1])
    if len(there) > 1:
        last = start
        for _ in there[1:]:
            last = page(last, ordering=ordering)[1]["next"]
        back = walk(last, "previous", ordering=ordering)
        assert [pk for ids in reversed(back) for pk in ids] == everything


def test_rows_that_come_meanwhile_are_on_no_page_twice() -> None:
    first = entries(1, 2, 3, 4)
    ids, answer = page()
    assert ids == [first[3], first[2]]
    entries(5, 6)
    assert page(answer["next"])[0] == [first[1], first[0]]


def test_a_row_that_goes_meanwhile_skips_none() -> None:
    """The cursor is a place, not a row: here it stands beside an instant that no row has."""
    first = entries(1, 2, 3, 4)
    _, answer = page()
    kept = AuditLog.everything.exclude(pk=first[2]).order_by(*NEWEST_FIRST)
    pages = CursorPages()
    rows = pages.paginate_queryset(kept, Request(APIRequestFactory().get(answer["next"])))
    assert [row.pk for row in rows] == [first[1], first[0]]


def test_the_links_keep_the_filters_and_end() -> None:
    entries(1, 2, 3)
    _, first = page("http://shop.example/api/rows/?limit=2&action=play&action=stop&search=a%20b")
    assert first["previous"] is None
    query = parse_qs(urlsplit(first["next"]).query)
    assert (query["limit"], query["action"], query["search"]) == (["2"], ["play", "stop"], ["a b"])
    _, second = page(first["next"])
    assert second["next"] is None
    assert page(second["previous"])[1]["previous"] is None


def test_an_empty_list_has_no_links() -> None:
    assert page()[1] == {"next": None, "previous": None, "results": []}


def test_a_page_costs_one_query_and_counts_nothing() -> None:
    entries(*range(9))
    url = page()[1]["next"]
    with CaptureQueriesContext(connection) as queries:
        page(url)
    assert len(queries) == 1
    assert "COUNT" not in queries[0]["sql"].upper()


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1.5", "many", "", "٣", "9" * 5000])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    from rest_framework.exceptions import ValidationError

    with pytest.raises(ValidationError) as refused:
        page(f"http://shop.example/?limit={quote(limit)}")
    assert refused.value.detail["limit"][0].code == "out_of_range"


def forged() -> list[str]:
    """Cursors that are none of this list's."""
    good = [["-timestamp", "pk"], False, ["2026-03-02T12:00:00+00:00", "1"]]
    return [
        "x",
        "é",
        "a:b:c",
        signing.dumps(good, salt="cursor:play_events"),
        signing.dumps(good, salt="cursor:audit_logs", key="another key"),
        signing.dumps([["timestamp", "pk"], *good[1:]], salt="cursor:audit_logs"),
    ]


@pytest.mark.parametrize("number", range(6))
def test_a_cursor_that_is_not_of_this_list_is_refused(number: int) -> None:
    entries(1, 2, 3)
    with pytest.raises(Refusal) as refused:
        page(f"http://shop.example/?cursor={quote(forged()[number])}")
    assert refused.value.code == "bad_cursor"


def test_a_cursor_of_another_order_is_refused() -> None:
    entries(1, 2, 3)
    url = page()[1]["next"]
    with pytest.raises(Refusal):
        page(url, ordering=("timestamp", "pk"))


@given(st.text(max_size=60))
def test_no_text_breaks_a_list(text: str) -> None:
    if text:
        with pytest.raises(Refusal):
            page(f"http://shop.example/?cursor={quote(text, errors='replace')}")


def test_the_condition_means_what_the_order_means() -> None:
    entries(3, 1, 2, 1, 3)
    for ordering in (("timestamp", "-pk"), ("-timestamp", "-pk"), ("-timestamp", "pk")):
        rows = list(AuditLog.everything.order_by(*ordering))
        for before, _ in pairwise(rows):
            after = AuditLog.everything.filter(beyond(ordering, (before.timestamp, before.pk)))
            assert list(after.order_by(*ordering)) == rows[rows.index(before) + 1 :]
