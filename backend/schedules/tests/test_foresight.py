"""When schedules are heard next, and when one would be that nobody has saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.tenancy import system_scope
from events.tests.support import make_announcement
from schedules.foresight import MOST_FORESEEN
from schedules.models import Schedule
from schedules.tests.support import NOON, make_schedule
from schedules.tests.test_preview import change

pytestmark = pytest.mark.usefixtures("at")


def preview(client: Any, expected: int = 200, **body: Any) -> Any:
    """The answer for a draft: an interval of an hour."""
    draft = {"schedule_type": "interval", "interval_minutes": 60} | body
    response = client.post("/api/schedules/preview/", draft, format="json")
    assert response.status_code == expected, response.content
    return response.json()


def times(answer: Any) -> list[str]:
    """The local day and time of each instant."""
    return [each["local_time"][8:16] for each in answer["occurrences"]]


def test_the_next_of_each_where_it_comes_first(shop: Any, call: Any) -> None:
    change(shop.floors[0], quiet_hours_start="12:00", quiet_hours_end="15:00")
    change(shop.floors[1], timezone="Asia/Kathmandu")
    both = make_schedule(shop, floors=shop.floors, interval_minutes=60, name="a")
    quiet = make_schedule(shop, floors=shop.floors[:1], interval_minutes=60, name="b")
    off = make_schedule(shop, floors=shop.floors, interval_minutes=60, name="c", enabled=False)
    answer = call(shop.admin).get("/api/schedules/next/").json()
    assert [(each["schedule"], each["local_time"]) for each in answer["results"]] == [
        (both.pk, "2026-07-01T18:00:00+05:45"),
        (quiet.pk, "2026-07-01T15:00:00+00:00"),
        (off.pk, None),
    ]


def test_the_next_ones_cost_the_same_whatever_their_number(shop: Any, call: Any) -> None:
    admin = call(shop.admin)

    def queries() -> int:
        make_schedule(shop, floors=shop.floors)
        with CaptureQueriesContext(connection) as captured:
            admin.get("/api/schedules/next/")
        return len(captured)

    queries()
    assert queries() == queries()


def test_a_draft_is_told_and_not_written(shop: Any, call: Any) -> None:
    words = make_announcement(shop)
    answer = preview(
        call(shop.admin),
        floors=[shop.floors[0].pk],
        schedule_announcements=[{"announcement": words.pk}],
        active_days=[3, 5],
        exceptions=[{"start": "2026-07-03"}],
        quiet_hours_start="14:00",
        quiet_hours_end="23:00",
    )
    # Wednesday from noon on, no Friday the 3rd, then Wednesday the 8th.
    assert times(answer)[:4] == ["01T12:00", "01T13:00", "01T23:00", "08T00:00"]
    assert answer["occurrences"][0]["announcement_title"] == words.title
    assert {each["reason"] for each in answer["left_out"]} == {"exception_date", "quiet_hours"}
    assert len(answer["occurrences"]) == MOST_FORESEEN
    with system_scope("test"):
        assert not Schedule.objects.exists()


def test_what_is_not_known_yet_is_not_told(shop: Any, call: Any) -> None:
    admin, floors = call(shop.admin), [shop.floors[0].pk]
    several = [{"announcement": make_announcement(shop).pk} for _ in range(2)]
    for entries in ([], several):
        answer = preview(admin, floors=floors, schedule_announcements=entries)
        assert times(answer)[0] == "01T12:00"
        assert answer["occurrences"][0]["announcement"] is None
    saved = make_schedule(shop, floors=shop.floors[:1])
    answer = preview(admin, floors=floors, schedule_announcements=several, replaces=saved.pk)
    assert answer["occurrences"][0]["announcement"] in {each["announcement"] for each in several}


def test_a_timeline_and_one_that_is_never_heard(shop: Any, call: Any) -> None:
    words, admin = make_announcement(shop), call(shop.admin)
    draft: dict[str, Any] = {
        "schedule_type": "timeline",
        "interval_minutes": None,
        "cycle_duration_minutes": 720,
        "floors": [shop.floors[0].pk],
    }
    marks = [{"announcement": words.pk, "timestamp_seconds": second} for second in (0, 1800)]
    answer = preview(admin, **draft, schedule_announcements=marks)
    assert times(answer)[:3] == ["01T12:00", "01T12:30", "02T00:00"]
    change(words, valid_until=NOON - timedelta(days=1))
    answer = preview(admin, **draft, schedule_announcements=marks)
    assert (answer["occurrences"], [each["reason"] for each in answer["left_out"]]) == ([], ["not_valid"])


def test_a_neighbour_that_is_too_near_leaves_it_out_but_not_what_it_replaces(shop: Any, call: Any) -> None:
    change(shop.client, announcement_gap_minutes=5)
    saved = make_schedule(shop, floors=shop.floors[:1], interval_minutes=60)
    draft = {"floors": [shop.floors[0].pk], "interval_minutes": 61}
    alone = preview(call(shop.admin), **draft, replaces=saved.pk)
    beside = preview(call(shop.admin), **draft)
    assert not alone["left_out"]
    assert [each["reason"] for each in beside["left_out"]] == ["least_gap"]


def test_drafts_that_contradict_themselves(shop: Any, call: Any) -> None:
    answer = preview(call(shop.admin), 400, interval_minutes=None)
    assert [(each["field"], each["code"]) for each in answer["errors"]] == [("interval_minutes", "required")]
