"""A floor's timeline: what it sounds, who yields to whom, and why."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from common.tenancy import system_scope
from events.models import PlayEvent
from events.tests.support import make_announcement, make_event
from plans.timeline import Item, resolved
from playlists.models import ChannelPlaylist
from playlists.services import Assignment, Entry, assign_floors, create_playlist
from playlists.tasks import tick as renew
from playlists.tests.support import tracks, words
from schedules.airing import plan_ahead
from schedules.models import FloorStop
from schedules.tests.conftest import at as at  # the clock stands at NOON
from schedules.tests.support import MINUTE, NOON, NOON_US, SECOND, make_schedule, timeline

pytestmark = pytest.mark.usefixtures("at")


def ask(client: Any, floor: Any, **query: Any) -> Any:
    """The timeline for a window."""
    asked = {name.strip("_"): value.isoformat() for name, value in query.items()}
    response = client.get(f"/api/floors/{floor.pk}/timeline/", asked)
    assert response.status_code == 200, response.content
    return response.json()


def short(answer: Any) -> list[tuple[str, str, str, str, list[int]]]:
    """Instant, priority, outcome, reason and devices of each announcement."""
    return [
        (each["at"][11:19], each["priority"], each["outcome"], each["reason"], each["devices"])
        for each in answer["announcements"]
    ]


def test_programme_announcements_and_silences(shop: Any, call: Any) -> None:
    floor = shop.floors[0]
    with system_scope("test data"):
        type(floor).objects.filter(pk=floor.pk).update(
            timezone="Europe/London", quiet_hours_start="13:30", quiet_hours_end="14:30"
        )
        FloorStop.objects.create(
            floor=floor, starts_at=NOON - timedelta(hours=1), until=NOON + timedelta(minutes=10)
        )
        playlist: ChannelPlaylist = create_playlist(
            client=shop.client,
            by=shop.admin,
            name="Music",
            items=[Entry(track) for track in tracks(shop.client, 3)] + [Entry(words(shop.client), 5)],
        )
        assign_floors(playlist=playlist, assignments=[Assignment(floor)])
    renew()
    schedule = make_schedule(shop, floors=[floor], interval_minutes=15)
    answer = ask(call(shop.floor_user), floor, to=NOON + timedelta(hours=1))
    assert (answer["floor"], answer["timezone"]) == (floor.pk, "Europe/London")
    assert [
        (each["starts_at"][11:16], each["ends_at"][11:16], each["reason"]) for each in answer["silences"]
    ] == [
        ("12:00", "12:10", "stopped"),
        ("12:30", "13:00", "quiet_hours"),
    ]
    assert {segment["kind"] for segment in answer["segments"]} == {"music", "announcement"}
    assert all(segment["title"] for segment in answer["segments"])
    mine = [each for each in answer["announcements"] if each["schedule"] == schedule.pk]
    assert [(each["at"][11:16], each["outcome"], each["reason"]) for each in mine] == [
        ("12:00", "suppressed", "floor_stopped"),
        ("12:15", "plays", ""),
        ("12:30", "suppressed", "quiet_hours"),
        ("12:45", "suppressed", "quiet_hours"),
    ]
    assert mine[1]["local_time"] == "2026-07-01T13:15:00+01:00"
    assert (mine[1]["schedule_name"], mine[1]["duration_ms"]) == (schedule.name, 5000)
    assert "playlist" in {each["priority"] for each in answer["announcements"]}


def test_of_two_that_meet_the_higher_sounds_and_the_lower_is_dropped_with_its_reason(
    shop: Any, call: Any
) -> None:
    floor, device = shop.floors[0], shop.devices[0]
    make_schedule(shop, floors=[floor], interval_minutes=30)
    timeline(shop, [(make_announcement(shop), 0)], minutes=60, devices=[device])
    for recorded in (False, True):
        if recorded:
            plan_ahead(now=NOON)
        answer = ask(call(shop.admin), floor, to=NOON + timedelta(minutes=1))
        assert short(answer) == [
            ("12:00:00", "interval", "dropped", "expired", [device.pk]),
            ("12:00:00", "timeline", "plays", "", [device.pk]),
        ]
        lower, higher = answer["announcements"]
        assert lower["by"] == higher["play_id"]
        assert (higher["starts_at"], higher["ends_at"]) == ("2026-07-01T12:00:00Z", "2026-07-01T12:00:05Z")


def test_the_past_and_orders_of_people_are_told_by_the_ledger(shop: Any, call: Any) -> None:
    floor = shop.floors[0]
    make_schedule(shop, floors=[floor], planned_until=NOON - timedelta(minutes=1))
    plan_ahead(now=NOON - timedelta(seconds=30))
    make_event(shop, now=NOON, play_id=uuid4())
    with system_scope("test"):
        PlayEvent.objects.filter(play_at=NOON).update(status="completed", started_at=NOON)
    answer = ask(call(shop.admin), floor, from_=NOON - timedelta(minutes=2), to=NOON + timedelta(seconds=30))
    pk = shop.devices[0].pk
    assert short(answer) == [
        ("11:59:00", "interval", "failed", "missed", [pk]),
        ("12:00:00", "interval", "completed", "", [pk]),
        ("12:00:01", "instant", "plays", "", [pk]),
    ]
    assert answer["announcements"][0]["message"] == "The server was down when it was due."


def test_who_may_ask_and_for_how_much(shop: Any, other_shop: Any, call: Any) -> None:
    paths = {floor.pk: f"/api/floors/{floor.pk}/timeline/" for floor in (*shop.floors, *other_shop.floors)}
    assert call(shop.floor_user).get(paths[shop.floors[1].pk]).status_code == 404
    assert call(shop.admin).get(paths[other_shop.floors[0].pk]).status_code == 404
    long = {"from": "2026-07-01T00:00Z", "to": "2026-07-03T00:01Z"}
    refused = call(shop.admin).get(paths[shop.floors[0].pk], long)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "too_long")


def test_a_timeline_costs_the_same_whatever_it_holds(shop: Any, call: Any) -> None:
    floor, admin = shop.floors[0], call(shop.admin)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            ask(admin, floor, to=NOON + timedelta(hours=2))
        return len(captured)

    make_schedule(shop, floors=[floor], devices=shop.devices)
    plan_ahead(now=NOON)
    few = queries()
    for _ in range(4):
        make_schedule(shop, floors=[floor], devices=shop.devices)
    plan_ahead(now=NOON)
    assert queries() == few


@given(
    st.lists(
        st.tuples(
            st.integers(0, 600),
            st.integers(1, 30),
            st.sampled_from(["emergency", "instant", "timeline", "interval", "playlist"]),
            st.sets(st.sampled_from([1, 2, 3]), min_size=1),
        ),
        max_size=25,
    )
)
def test_on_no_device_two_sound_at_once_and_nobody_is_lost(
    drawn: list[tuple[int, int, str, set[int]]],
) -> None:
    items = [
        Item(
            play_id=UUID(int=number),
            priority=priority,
            at=NOON_US + second * SECOND,
            expires_at=NOON_US + second * SECOND + (MINUTE if priority == "playlist" else 2 * SECOND),
            announcement=1,
            title="",
            duration_us=length * SECOND,
            schedule=None,
            outcome="plays",
            devices=tuple(sorted(devices)),
        )
        for number, (second, length, priority, devices) in enumerate(drawn)
    ]
    found = resolved(items, NOON_US)
    assert sorted((item.play_id, device) for item in found for device in item.devices) == sorted(
        (item.play_id, device) for item in items for device in item.devices
    )
    for device in (1, 2, 3):
        heard = sorted(
            (item.starts_at, item.ends_at)
            for item in found
            if device in item.devices and item.outcome == "plays"
        )
        assert all(first[1] <= second[0] for first, second in pairwise(heard))
    for item in found:
        assert (item.outcome == "dropped") == (item.starts_at is None)
        assert item.starts_at is None or item.at <= item.starts_at < item.expires_at
