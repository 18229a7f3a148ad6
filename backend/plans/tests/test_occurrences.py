"""Schedules and stops in the plan of a device."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common import clock
from common.tenancy import system_scope
from devices.models import Device
from devices.plan import Plan
from events.models import PlayEvent
from events.services import cancel_events
from events.tests.support import make_announcement
from plans.builder import plan_of
from schedules.airing import plan_ahead
from schedules.services import resume_floor, stop_floor
from schedules.tests.support import HOUR, MINUTE, NOON, NOON_US, make_schedule, timeline


def plan(device: Device, now: datetime = NOON) -> Plan:
    """The plan of this device."""
    with system_scope("test"):
        return plan_of(Device.objects.select_related("floor", "client").get(pk=device.pk), now=now)


def test_the_next_day_is_in_the_plan_with_the_schedulers_ids(shop: Any) -> None:
    one, two = make_announcement(shop), make_announcement(shop, chime="ding", lead_in_ms=1350)
    device = shop.devices[0]
    every_hour = make_schedule(shop, [one, two], floors=[shop.floors[0]], interval_minutes=60)
    timeline(shop, [(one, 80)], minutes=720, devices=[device])
    make_schedule(shop, [one], floors=[shop.floors[1]])
    make_schedule(shop, [one], floors=[shop.floors[0]], enabled=False)
    told = plan(device)
    hourly = [each for each in told.occurrences if each.schedule_id == every_hour.pk]
    assert [each.play_at for each in hourly] == [NOON_US + n * HOUR for n in range(26)]
    assert {each.announcement_id for each in hourly} == {one.pk, two.pk}
    assert {(each.announcement_id, each.lead_in_ms) for each in hourly} == {(one.pk, 0), (two.pk, 1350)}
    others = [each for each in told.occurrences if each.schedule_id != every_hour.pk]
    assert [(each.play_at, each.priority) for each in others] == [
        (NOON_US + 80_000_000, "timeline"),
        (NOON_US + 12 * HOUR + 80_000_000, "timeline"),
        (NOON_US + 24 * HOUR + 80_000_000, "timeline"),
    ]
    assert {asset.sha256 for asset in told.assets} == {one.sha256, two.sha256}
    first = hourly[0]
    assert (first.expires_at, first.volume, first.late, first.title) == (
        NOON_US + 2_000_000,
        75,
        "join",
        next(row.title for row in (one, two) if row.pk == first.announcement_id),
    )
    plan_ahead(now=NOON)
    with system_scope("test"):
        rows = {(str(event.pk), event.announcement_id) for event in PlayEvent.objects.filter(device=device)}
    assert rows <= {(each.event_id, each.announcement_id) for each in told.occurrences}
    assert len(rows) == 2


def test_writing_ahead_changes_no_plan(shop: Any) -> None:
    make_schedule(shop, [make_announcement(shop), make_announcement(shop)], floors=shop.floors)
    before = plan(shop.devices[0])
    plan_ahead(now=NOON)
    assert plan(shop.devices[0]) == before


def test_what_has_expired_or_was_taken_back_is_left_out(shop: Any) -> None:
    make_schedule(shop, floors=[shop.floors[0]])
    plan_ahead(now=NOON)
    with system_scope("test"):
        cancel_events(events=PlayEvent.objects.filter(play_at=NOON + timedelta(minutes=1)), now=NOON)
    told = plan(shop.devices[0], NOON + timedelta(seconds=3))
    assert [each.play_at for each in told.occurrences[:2]] == [NOON_US + 2 * MINUTE, NOON_US + 3 * MINUTE]


def test_words_that_are_written_ahead_stay_though_the_choice_has_changed(shop: Any) -> None:
    old = make_announcement(shop)
    schedule = make_schedule(shop, [old], floors=[shop.floors[0]])
    plan_ahead(now=NOON)
    new = make_announcement(shop)
    with system_scope("test"):
        schedule.schedule_announcements.update(announcement=new)
    told = plan(shop.devices[0]).occurrences
    assert [each.announcement_id for each in told[:3]] == [old.pk, old.pk, new.pk]


def test_a_stop_is_a_silence_without_occurrences_and_lifting_it_brings_them_back(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    make_schedule(shop, floors=shop.floors, planned_until=NOON + timedelta(seconds=1))
    device, floor = shop.devices[0], shop.floors[0]
    with system_scope("test"):
        stop_floor(floor=floor, until=NOON + timedelta(minutes=10), by=shop.admin, now=NOON)
        stop_floor(floor=floor, until=NOON + timedelta(minutes=5), by=shop.admin, now=NOON)
    told = plan(device)
    assert [(each.start_at, each.end_at, each.reason) for each in told.silences] == [
        (NOON_US, NOON_US + 5 * MINUTE, "stopped")
    ]
    assert told.occurrences[0].play_at == NOON_US + 5 * MINUTE
    assert plan(shop.devices[1]).silences == []
    plan_ahead(now=NOON)
    soon = NOON + timedelta(seconds=30)
    with system_scope("test"):
        events = PlayEvent.objects.filter(device=device, play_at__gt=NOON)
        assert [event.reason for event in events] == ["floor_stopped"]
        assert resume_floor(floor=floor, now=soon)
        assert not resume_floor(floor=floor, now=soon)
    plan_ahead(now=soon)
    with system_scope("test"):
        assert [event.status for event in events.all() if event.play_at < NOON + timedelta(minutes=2)] == [
            "pending"
        ]
    assert plan(device, soon).occurrences[0].play_at == NOON_US + MINUTE


def test_the_least_gap_holds_in_plan_and_ledger_alike(shop: Any) -> None:
    with system_scope("test"):
        type(shop.client).objects.filter(pk=shop.client.pk).update(announcement_gap_minutes=10)
    make_schedule(shop, floors=[shop.floors[0]], interval_minutes=15)
    timeline(shop, [(make_announcement(shop), 300)], minutes=30, devices=[shop.devices[0]])
    told = [each.play_at for each in plan(shop.devices[0]).occurrences]
    assert told == [NOON_US + n * 15 * MINUTE for n in range(26 * 4)]


def test_a_plan_costs_the_same_whatever_it_holds(shop: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            plan(shop.devices[0])
        return len(captured)

    make_schedule(shop, floors=shop.floors, devices=shop.devices)
    few = queries()
    for _ in range(5):
        make_schedule(shop, [make_announcement(shop) for _ in range(3)], floors=shop.floors)
    assert queries() == few
