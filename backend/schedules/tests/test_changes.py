"""What follows a change at the tick, and what a change leaves alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from common.tenancy import system_scope
from devices.hub import Frame, Plays
from devices.protocol import PlanChanged
from events.models import PlayEvent
from events.services import cancel_events
from schedules.airing import plan_ahead
from schedules.renewal import changed
from schedules.tests.support import NOON, fresh, ledger_rows, make_schedule

pytestmark = pytest.mark.usefixtures("at")


def test_after_a_change_from_below_the_devices_are_told_once(
    shop: Any, published: list[Any], commit: Any
) -> None:
    schedule = make_schedule(shop, floors=shop.floors)
    with commit():
        plan_ahead(now=NOON)
    assert not [each for each in published if isinstance(each, Frame)]
    with system_scope("test"):
        for entry in schedule.schedule_announcements.all():
            entry.announcement.save()
            entry.announcement.save()
    with commit():
        plan_ahead(now=NOON)
    (frame,) = [each for each in published if isinstance(each, Frame)]
    assert isinstance(frame.message, PlanChanged)
    assert sorted(frame.devices) == [device.pk for device in shop.devices]


def test_what_somebody_cancelled_is_not_pushed_again(shop: Any, published: list[Any], commit: Any) -> None:
    schedule = make_schedule(shop, devices=shop.devices[:1])
    plan_ahead(now=NOON)
    with system_scope("test"):
        cancel_events(events=PlayEvent.objects.filter(play_at__gt=NOON), now=NOON)
    changed(pk=schedule.pk, now=NOON)
    published.clear()
    with commit():
        plan_ahead(now=NOON)
    pushed = [each.common.play_at for each in published if isinstance(each, Plays)]
    assert len(pushed) == 1
    assert [row[3] for row in ledger_rows()] == ["", "cancelled"]


def test_a_change_does_not_make_what_was_missed_forgotten(shop: Any) -> None:
    schedule = make_schedule(shop, devices=shop.devices[:1], planned_until=NOON - timedelta(minutes=2))
    changed(pk=schedule.pk, now=NOON)
    assert fresh(schedule).planned_until == NOON - timedelta(minutes=2)
    plan_ahead(now=NOON)
    assert [row[3] for row in ledger_rows()] == ["missed", "missed", "", ""]


def test_a_revoked_device_has_no_plays(shop: Any) -> None:
    make_schedule(shop, floors=shop.floors, devices=shop.devices)
    with system_scope("test"):
        type(shop.devices[0]).objects.filter(pk=shop.devices[0].pk).update(revoked_at=NOON)
    plan_ahead(now=NOON)
    assert {row[1] for row in ledger_rows()} == {shop.devices[1].pk}


def test_where_a_least_gap_holds_a_change_lets_the_neighbour_through(shop: Any) -> None:
    with system_scope("test"):
        type(shop.client).objects.filter(pk=shop.client.pk).update(announcement_gap_minutes=10)
    soon = NOON + timedelta(seconds=1)
    first, second = (
        make_schedule(shop, floors=shop.floors[:1], interval_minutes=61, planned_until=soon) for _ in range(2)
    )
    before = NOON + timedelta(minutes=11)  # 61 minutes, twelve times, from midnight: 12:12
    plan_ahead(now=before)
    assert sorted(row[3] for row in ledger_rows()) == ["", "least_gap"]  # both at one instant
    with system_scope("test"):
        type(first).objects.filter(pk=first.pk).update(enabled=False)
    changed(pk=first.pk, now=before)
    assert fresh(second).stale
    plan_ahead(now=before)
    assert sorted(row[3] for row in ledger_rows()) == ["", "superseded"]
