"""The scheduler: what it writes ahead, what it pushes, and what comes of a second one, a dead one, an outage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common import clock
from common.tenancy import system_scope
from devices.hub import Plays
from devices.models import Device
from devices.ports import DeviceReport
from devices.protocol import PlaybackComplete
from events import planned
from events.delivery import EventLedger
from events.models import PlayEvent
from events.tests.support import make_announcement
from schedules import airing, locks
from schedules.airing import AHEAD, RECORDED_FOR, plan_ahead
from schedules.domain import occurrence_event_id
from schedules.models import FloorStop, Schedule
from schedules.tests.support import (
    MINUTE,
    NOON,
    NOON_US,
    SECOND,
    fresh,
    ledger_rows,
    make_schedule,
    more_devices,
    timeline,
)

pytestmark = pytest.mark.usefixtures("at")


def update(row: Any, **columns: Any) -> None:
    """Changes the row beneath everybody's feet."""
    with system_scope("test data"):
        type(row).objects.filter(pk=row.pk).update(**columns)
        row.refresh_from_db()


# --- ahead -----------------------------------------------------------------------------------------------


def test_what_is_due_soon_has_a_row_on_each_device_and_is_pushed(
    shop: Any, published: Any, commit: Any
) -> None:
    announcement = make_announcement(shop, chime="ding", lead_in_ms=1350)
    floor, (first, second) = shop.floors[0], shop.devices
    (third,) = more_devices(shop, 1, floor)
    update(floor, min_volume=0, max_volume=40)
    schedule = make_schedule(shop, [announcement], floors=[floor], devices=[first, second])
    with commit():
        assert plan_ahead(now=NOON) == 6
    devices = (first.pk, second.pk, third.pk)
    assert ledger_rows() == [
        (instant, pk, "pending", "") for instant in ("12:00:00", "12:01:00") for pk in sorted(devices)
    ]
    with system_scope("test"):
        event = PlayEvent.objects.get(
            pk=occurrence_event_id(str(schedule.pk), NOON_US + MINUTE, str(first.pk))
        )
    assert (event.announcement, event.floor, event.priority, event.late) == (
        announcement,
        floor,
        "interval",
        "join",
    )
    assert (event.play_at, event.expires_at) == (
        NOON + timedelta(minutes=1),
        NOON + timedelta(minutes=1, seconds=2),
    )
    assert event.volume == 40
    assert fresh(schedule).planned_until == NOON + timedelta(minutes=2)
    plays = sorted((m for m in published if isinstance(m, Plays)), key=lambda m: m.common.play_at)
    assert [
        (play.common.announcement_id, play.common.play_at, sorted(t.device for t in play.targets))
        for play in plays
    ] == [(announcement.pk, NOON_US + n * MINUTE, sorted(devices)) for n in (0, 1)]
    assert {(play.common.title, play.common.lead_in_ms) for play in plays} == {(announcement.title, 1350)}
    assert {t.event_id for t in plays[1].targets if t.device == first.pk} == {str(event.pk)}


def test_all_devices_of_an_occurrence_speak_the_same_words(shop: Any) -> None:
    words = [make_announcement(shop) for _ in range(5)]
    more_devices(shop, 4, shop.floors[0])
    make_schedule(shop, words, floors=shop.floors)
    for minute in range(10):
        plan_ahead(now=NOON + timedelta(minutes=minute))
    with system_scope("test"):
        heard: dict[Any, set[int]] = {}
        for event in PlayEvent.objects.all():
            heard.setdefault(event.play_at, set()).add(event.announcement_id)
    assert len(heard) == 11
    assert all(len(spoken) == 1 for spoken in heard.values())
    bags = [sorted(next(iter(heard[at])) for at in sorted(heard)[first : first + 5]) for first in (0, 5)]
    assert all(len(set(bag)) >= 4 for bag in bags)


@pytest.mark.parametrize("turns", [1, 3])
def test_ticking_again_adds_nothing(shop: Any, turns: int) -> None:
    make_schedule(shop, floors=shop.floors)
    for _ in range(turns):
        plan_ahead(now=NOON)
    assert len(ledger_rows()) == 4


def test_a_second_scheduler_and_one_that_lost_its_memory_double_nothing(
    shop: Any, published: Any, commit: Any
) -> None:
    schedule = make_schedule(shop, floors=shop.floors)
    plan_ahead(now=NOON)
    update(schedule, planned_until=NOON)
    with commit():
        assert plan_ahead(now=NOON) == 0
    assert len(ledger_rows()) == 4
    assert fresh(schedule).planned_until == NOON + timedelta(minutes=2)


def test_killed_between_choosing_and_sending_it_is_sent_by_the_ledger(shop: Any) -> None:
    make_schedule(shop, floors=shop.floors)
    plan_ahead(now=NOON)  # and nothing after the commit happens: no callback runs in this test
    device = shop.devices[0]
    later = NOON + timedelta(seconds=30)
    orders = EventLedger().due([device.pk], reconnected=False, now=later)
    assert [order.play_at for order in orders[device.pk]] == [NOON_US + MINUTE]


def test_killed_before_the_commit_nothing_is_there_and_the_next_one_does_it(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = make_schedule(shop, floors=shop.floors)

    def dies(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(airing, "_push", dies)
        with pytest.raises(MemoryError):
            plan_ahead(now=NOON)
    assert ledger_rows() == []
    assert fresh(schedule).planned_until == NOON
    assert plan_ahead(now=NOON) == 4


def test_one_schedule_alone(shop: Any) -> None:
    first, second = make_schedule(shop, floors=shop.floors), make_schedule(shop, floors=shop.floors)
    assert plan_ahead(now=NOON, only=second.pk) == 4
    assert fresh(first).planned_until == NOON


def test_timelines_fire_at_their_seconds(shop: Any) -> None:
    one, two = make_announcement(shop), make_announcement(shop)
    timeline(shop, [(one, 10), (two, 40)], minutes=1, devices=[shop.devices[0]])
    plan_ahead(now=NOON)
    assert [row[0] for row in ledger_rows()] == ["12:00:10", "12:00:40", "12:01:10"]
    with system_scope("test"):
        assert list(PlayEvent.objects.order_by("play_at").values_list("announcement", "priority")) == [
            (one.pk, "timeline"),
            (two.pk, "timeline"),
            (one.pk, "timeline"),
        ]


# --- after an outage -------------------------------------------------------------------------------------


def test_after_an_outage_what_has_expired_is_missed_and_the_rest_plays(shop: Any) -> None:
    schedule = make_schedule(shop, devices=[shop.devices[0]], planned_until=NOON - timedelta(minutes=3))
    plan_ahead(now=NOON + timedelta(seconds=1))
    assert [(row[0], *row[2:]) for row in ledger_rows()] == [
        ("11:57:00", "failed", "missed"),
        ("11:58:00", "failed", "missed"),
        ("11:59:00", "failed", "missed"),
        ("12:00:00", "pending", ""),
        ("12:01:00", "pending", ""),
    ]
    assert fresh(schedule).planned_until == NOON + timedelta(minutes=2)


def test_a_device_that_played_offline_is_believed_before_and_after(shop: Any) -> None:
    device, schedule = (
        shop.devices[0],
        make_schedule(shop, floors=shop.floors, planned_until=NOON - timedelta(minutes=2)),
    )
    ids = [
        occurrence_event_id(str(schedule.pk), NOON_US - minutes * MINUTE, str(device.pk))
        for minutes in (2, 1)
    ]

    def receipt(number: int) -> DeviceReport:
        started = NOON_US - (2 - number) * MINUTE + 20
        message = PlaybackComplete(
            event_id=str(ids[number]),
            announcement_id=1,
            outcome="played",
            started_at=started,
            ended_at=started + 5 * SECOND,
        )
        return DeviceReport(device.pk, message, NOON)

    EventLedger().store([receipt(0)], now=NOON)  # before the tick wrote its row
    plan_ahead(now=NOON)
    assert [(row[0], *row[2:]) for row in ledger_rows(device=device)][:2] == [
        ("11:58:00", "completed", ""),
        ("11:59:00", "failed", "missed"),
    ]
    EventLedger().store([receipt(1)], now=NOON)
    assert [(row[0], *row[2:]) for row in ledger_rows(device=device)][:2] == [
        ("11:58:00", "completed", ""),
        ("11:59:00", "completed", ""),
    ]


def test_a_receipt_that_meets_the_tick_which_writes_its_row_is_kept(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = shop.devices[0]
    schedule = make_schedule(shop, floors=shop.floors, planned_until=NOON - timedelta(minutes=2))
    due = NOON_US - 2 * MINUTE
    event = str(occurrence_event_id(str(schedule.pk), due, str(device.pk)))
    ask = planned.insert_asked

    def ask_after_the_tick(questions: Any, *, now: datetime) -> Any:
        plan_ahead(now=now)
        return ask(questions, now=now)

    monkeypatch.setattr(planned, "insert_asked", ask_after_the_tick)
    receipt = PlaybackComplete(event_id=event, announcement_id=1, outcome="skipped_late", play_at=due)
    EventLedger().store([DeviceReport(device.pk, receipt, NOON)], now=NOON)
    first = next(iter(ledger_rows(device=device)))
    assert (first[0], *first[2:]) == ("11:58:00", "failed", "expired")


def test_a_device_that_passed_over_what_is_yet_to_come_is_believed(shop: Any) -> None:
    device, schedule = shop.devices[0], make_schedule(shop, floors=shop.floors)
    # It had followed our clock when that was stepped.
    due = NOON_US + 10 * MINUTE
    event = str(occurrence_event_id(str(schedule.pk), due, str(device.pk)))
    receipt = PlaybackComplete(event_id=event, announcement_id=1, outcome="skipped_late", play_at=due)
    EventLedger().store([DeviceReport(device.pk, receipt, NOON)], now=NOON)
    assert [(row[0], *row[2:]) for row in ledger_rows(device=device)] == [("12:10:00", "failed", "expired")]


def test_a_long_outage_is_written_down_in_steps_and_not_without_end(shop: Any) -> None:
    make_schedule(
        shop, devices=[shop.devices[0]], interval_minutes=60, planned_until=NOON - timedelta(days=400)
    )
    plan_ahead(now=NOON)
    rows = ledger_rows()
    assert len(rows) == RECORDED_FOR // timedelta(hours=1) + 1
    assert {row[3] for row in rows[:-1]} == {"missed"}
    assert rows[-1][2] == "pending"


# --- what is suppressed ----------------------------------------------------------------------------------


def _quiet_floor(shop: Any) -> None:
    update(shop.floors[0], quiet_hours_start="11:00", quiet_hours_end="12:01")


def _stopped(shop: Any) -> None:
    with system_scope("test data"):
        FloorStop.objects.create(
            floor=shop.floors[0], starts_at=NOON - timedelta(hours=1), until=NOON + timedelta(minutes=1)
        )


def _trial_ends(shop: Any) -> None:
    update(shop.client, status="trial", trial_ends_at=NOON + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (_quiet_floor, [("failed", "quiet_hours"), ("pending", "")]),
        (_stopped, [("failed", "floor_stopped"), ("pending", "")]),
        (_trial_ends, [("pending", ""), ("failed", "client_locked")]),
    ],
)
def test_what_the_floor_suppresses_is_on_the_record(shop: Any, prepare: Any, expected: Any) -> None:
    make_schedule(shop, floors=[shop.floors[0]])
    prepare(shop)
    plan_ahead(now=NOON)
    assert [row[2:] for row in ledger_rows()] == expected


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"enabled": False}, "no_announcement"),
        ({"audio_file": ""}, "no_announcement"),
        ({"valid_until": NOON}, "not_valid"),
        ({"valid_from": NOON + timedelta(minutes=2)}, "not_valid"),
    ],
)
def test_an_announcement_that_may_not_be_heard_is_not_chosen(
    shop: Any, columns: dict[str, Any], reason: str
) -> None:
    one, other = make_announcement(shop, **columns), make_announcement(shop)
    make_schedule(shop, [one], devices=[shop.devices[0]])
    make_schedule(shop, [one, other], devices=[shop.devices[1]])
    plan_ahead(now=NOON)
    assert [row[2:] for row in ledger_rows(device=shop.devices[0])] == [("failed", reason)] * 2
    with system_scope("test"):
        heard = PlayEvent.objects.filter(device=shop.devices[1])
        assert {event.announcement_id for event in heard} == {other.pk}


def test_a_locked_business_is_silent_and_looked_at_again(shop: Any) -> None:
    schedule = make_schedule(shop, floors=shop.floors)
    update(shop.client, status="suspended")
    plan_ahead(now=NOON)
    assert ledger_rows() == []
    assert fresh(schedule).planned_until == NOON + locks.LOOK


def test_the_least_gap_is_kept_between_schedules_of_a_floor(shop: Any) -> None:
    update(shop.client, announcement_gap_minutes=10)
    floor = shop.floors[0]
    first = make_schedule(shop, floors=[floor], interval_minutes=15, planned_until=NOON - timedelta(hours=1))
    second = timeline(
        shop,
        [(make_announcement(shop), 5 * 60), (make_announcement(shop), 20 * 60)],
        minutes=30,
        devices=[shop.devices[0]],
        planned_until=NOON - timedelta(hours=1),
    )
    plan_ahead(now=NOON - timedelta(minutes=1))
    together = ledger_rows(play_at__lt=NOON)
    assert [(row[0], row[3]) for row in together] == [
        ("11:00:00", "missed"),
        ("11:05:00", "least_gap"),
        ("11:15:00", "missed"),
        ("11:20:00", "least_gap"),
        ("11:30:00", "missed"),
        ("11:35:00", "least_gap"),
        ("11:45:00", "missed"),
        ("11:50:00", "least_gap"),
    ]
    assert fresh(first).planned_until == NOON + timedelta(minutes=15)
    assert fresh(second).planned_until == NOON + timedelta(minutes=5)


# --- zones -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "instants"),
    [
        # 2026-03-29: London's clocks go from 01:00 to 02:00; 2026-10-25: from 02:00 back to 01:00.
        ("Europe/London", datetime(2026, 3, 29, tzinfo=UTC), 23),
        ("Europe/London", datetime(2026, 10, 24, 23, tzinfo=UTC), 25),
        ("Asia/Kathmandu", datetime(2026, 7, 1, 18, 15, tzinfo=UTC), 24),
    ],
)
def test_a_days_occurrences_in_the_floors_zone(shop: Any, zone: str, day: datetime, instants: int) -> None:
    update(shop.floors[0], timezone=zone)
    make_schedule(shop, floors=[shop.floors[0]], interval_minutes=60, planned_until=day)
    end = day + timedelta(hours=instants)
    now = day
    while now < end - AHEAD:
        plan_ahead(now=now)
        now += timedelta(minutes=30)
    with system_scope("test"):
        rows = list(PlayEvent.objects.filter(play_at__lt=end).order_by("play_at"))
    assert [row.play_at for row in rows] == [day + timedelta(hours=n) for n in range(instants)]
    assert {row.status for row in rows} == {"pending"}


def test_devices_in_two_zones_have_their_own_midnights(shop: Any) -> None:
    update(shop.floors[1], timezone="Asia/Kathmandu")  # UTC+5:45
    schedule = make_schedule(shop, floors=shop.floors, interval_minutes=60)
    for minutes in range(0, 60, 5):
        plan_ahead(now=NOON + timedelta(minutes=minutes))
    assert [row[:2] for row in ledger_rows(play_at__lt=NOON + timedelta(hours=1))] == [
        ("12:00:00", shop.devices[0].pk),
        ("12:15:00", shop.devices[1].pk),
    ]
    assert fresh(schedule).planned_until == NOON + timedelta(hours=1)


def test_a_device_without_a_floor_is_heard_in_its_business_zone(shop: Any) -> None:
    (device,) = more_devices(shop, 1, None)
    update(shop.client, timezone="Asia/Kathmandu")
    make_schedule(shop, devices=[device], interval_minutes=60)
    plan_ahead(now=NOON + timedelta(minutes=14))
    assert [row[0] for row in ledger_rows()] == ["12:15:00"]


# --- cost ------------------------------------------------------------------------------------------------


def test_the_number_of_queries_does_not_grow(shop: Any, other_shop: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            plan_ahead(now=NOON)
        # SQLite takes the rows of a large INSERT in several statements.
        return sum(not query["sql"].startswith("INSERT") for query in captured)

    make_schedule(shop, floors=shop.floors, devices=shop.devices)
    few = queries()
    for _ in range(10):
        make_schedule(shop, floors=shop.floors, devices=shop.devices)
        make_schedule(other_shop, devices=other_shop.devices)
    assert queries() <= few


def test_what_is_not_due_is_not_read(shop: Any) -> None:
    for _ in range(3):
        make_schedule(shop, floors=shop.floors, planned_until=NOON + AHEAD)
    make_schedule(shop, floors=shop.floors, planned_until=None)
    assert plan_ahead(now=NOON) == 0
    with system_scope("test"):
        assert Schedule.objects.filter(planned_until__lt=NOON + AHEAD).count() == 0
        assert Device.objects.count() == 2
    assert clock.to_us(NOON) == NOON_US
