"""The ledger behind the socket: what is due, and what reports make of the rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common import clock
from common.tenancy import system_scope
from devices.models import Device
from devices.ports import DeviceReport
from devices.protocol import PlaybackComplete, PlaybackStarted
from events.delivery import EventLedger
from events.domain import ledger
from events.models import PlayEvent
from events.tests.support import (
    NOW,
    OPEN_STATES,
    ack,
    begun,
    fresh,
    history,
    make_announcement,
    make_event,
    online,
    receipt,
)

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
UNTIL = {"play_at": NOW + 60 * SECOND, "expires_at": NOW + 62 * SECOND}


def told(device, *, reconnected, now=NOW):
    """The ids of the events that this device is told at `now`."""
    due = EventLedger().due([device.pk], reconnected=reconnected, now=now)
    return {order.event_id for order in due.get(device.pk, ())}


def stored(*reports, device, at=NOW):
    EventLedger().store([DeviceReport(device.pk, report, at) for report in reports], now=at)


@pytest.mark.parametrize(
    ("columns", "reconnected", "is_told"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"created_at": NOW - 3 * SECOND}, False, True),
        ({"created_at": NOW - 1 * SECOND}, False, False),
        ({"status": ledger.DELIVERED, "created_at": NOW - 9 * SECOND}, False, False),
        ({"status": ledger.DELIVERED, "created_at": NOW - 9 * SECOND}, True, True),
        ({"status": ledger.PLAYING}, True, False),
        ({"status": ledger.COMPLETED}, True, False),
        ({"status": ledger.FAILED, "reason": "cancelled"}, True, False),
        ({"expires_at": NOW}, True, False),
        ({"expires_at": NOW + SECOND / 1000}, True, True),
    ],
)
def test_what_is_due(shop, columns, reconnected, is_told):
    event = make_event(shop, **(UNTIL | columns))
    assert told(shop.devices[0], reconnected=reconnected) == ({str(event.pk)} if is_told else set())
    assert told(shop.devices[1], reconnected=reconnected) == set(), "it is not for this device"


def test_an_announcement_that_was_deleted_is_not_due(shop):
    event = make_event(shop, **UNTIL)
    with system_scope("test"):
        event.announcement.delete()
    assert told(shop.devices[0], reconnected=True) == set()


@pytest.mark.parametrize(("status", "is_told"), [(ledger.PENDING, True), (ledger.DELIVERED, False)])
def test_a_plain_device_is_never_told_twice(shop, status, is_told):
    with system_scope("test"):
        Device.objects.filter(pk=shop.devices[0].pk).update(plain=True)
    event = make_event(shop, status=status, **UNTIL)
    assert told(shop.devices[0], reconnected=True) == ({str(event.pk)} if is_told else set())


@pytest.mark.parametrize(
    ("back_after_s", "starts_after_s"),
    [(0, 0), (4, 0), (20, 20.16), (59, 59.16), (59.9, None), (61, None)],
    ids=["in time", "while the others speak", "afterwards", "just in time", "too late to start", "expired"],
)
def test_a_play_that_waited_for_its_device(shop, back_after_s, starts_after_s):
    """A clip of five seconds; the device needs 160 ms (its lead, its way, the fetch)."""
    device = shop.devices[0]
    online(device, now=NOW, required_lead_ms=48, round_trip_us=2_000)
    event = make_event(
        shop, waits_for_device=True, play_at=NOW, expires_at=NOW + 60 * SECOND, created_at=NOW - 9 * SECOND
    )
    now = NOW + back_after_s * SECOND
    orders = EventLedger().due([device.pk], reconnected=True, now=now).get(device.pk, [])
    if starts_after_s is None:
        assert orders == []
        assert fresh(event).waits_for_device
        return
    [order] = orders
    assert order.play_at == clock.to_us(NOW) + int(starts_after_s * 1_000_000)
    assert (order.late, order.expires_at) == ("join", clock.to_us(NOW + 60 * SECOND))
    again = EventLedger().due([device.pk], reconnected=False, now=now + 5 * SECOND).get(device.pk, [])
    assert [each.play_at for each in again] == (
        [order.play_at] if now + 5 * SECOND < event.expires_at else []
    )


def test_the_whole_way_of_a_play(shop):
    event, device = make_event(shop), shop.devices[0]
    start = NOW + 1.001 * SECOND
    stored(ack(event, "fetching"), device=device, at=NOW)
    stored(ack(event), device=device, at=NOW + SECOND / 2)
    assert (fresh(event).status, fresh(event).delivered_at) == (ledger.DELIVERED, NOW)
    stored(begun(event, clock.to_us(start)), device=device, at=start)
    assert (fresh(event).status, fresh(event).started_at) == (ledger.PLAYING, start)
    end = start + 5 * SECOND
    done = receipt(
        event,
        started_at=clock.to_us(start),
        ended_at=clock.to_us(end),
        start_error_us=-12,
        played_ms=5000,
    )
    stored(done, device=device, at=end + SECOND)
    row = fresh(event)
    assert (row.status, row.reason, row.outcome) == (ledger.COMPLETED, "", "played")
    assert (row.started_at, row.completed_at, row.start_error_us, row.played_ms) == (start, end, -12, 5000)
    assert [step[0] for step in history(event)] == ["delivered", "playing", "completed"]
    assert {step[2] for step in history(event)} == {"device"}


@pytest.mark.parametrize("batches", [1, 5], ids=["in one batch", "in five"])
def test_a_receipt_five_times_is_one_change(shop, batches):
    event, device = make_event(shop, status=ledger.PLAYING), shop.devices[0]
    for _ in range(batches):
        stored(*[receipt(event, played_ms=1)] * (5 // batches), device=device)
    assert history(event) == [("completed", "", "device", False)]


def test_a_batch_may_hold_everything_out_of_order(shop):
    event, device = make_event(shop), shop.devices[0]
    stored(receipt(event), begun(event, clock.to_us(NOW)), ack(event), device=device)
    assert fresh(event).status == ledger.COMPLETED
    assert fresh(event).delivered_at == NOW, "what was played had been delivered"


@pytest.mark.parametrize("status", OPEN_STATES)
def test_another_devices_event_is_not_moved(shop, other_shop, status):
    event = make_event(shop, status=status)
    for device in (shop.devices[1], other_shop.devices[0]):
        stored(ack(event, "cannot"), begun(event, 1), receipt(event, outcome="failed_output"), device=device)
    assert fresh(event).status == status
    assert history(event) == []


def test_an_event_that_nobody_knows_moves_nothing(shop):
    event = make_event(shop)
    strange = [
        PlaybackComplete(event_id="00000000-0000-0000-0000-000000000000"),
        PlaybackComplete(event_id="z" * 36),
        PlaybackStarted(event_id="z" * 36, started_at=0),
        PlaybackComplete(),
        PlaybackComplete(announcement_id=0),
        PlaybackComplete(announcement_id=2**53 - 1),
    ]
    stored(*strange, device=shop.devices[0])
    assert history(event) == []


@pytest.mark.parametrize(
    ("closed_as", "outcome", "becomes"),
    [
        ("no_receipt", "played", (ledger.COMPLETED, "")),
        ("offline", "played", (ledger.COMPLETED, "")),
        ("cancelled", "partial", (ledger.FAILED, "partial")),
    ],
)
def test_a_late_receipt_corrects_what_the_server_closed(shop, closed_as, outcome, becomes):
    event = make_event(shop, status=ledger.FAILED, reason=closed_as)
    stored(receipt(event, outcome=outcome), device=shop.devices[0], at=NOW + timedelta(hours=3))
    row = fresh(event)
    assert (row.status, row.reason) == becomes
    assert history(event) == [(*becomes, "device", True)]
    assert row.error_message == ledger.REASONS[becomes[1]]


def test_a_second_receipt_never_overrules_the_first(shop):
    event, device = make_event(shop), shop.devices[0]
    stored(receipt(event), device=device)
    for outcome in ("failed_output", "unknown_after_crash", "partial"):
        stored(receipt(event, outcome=outcome), device=device)
    assert fresh(event).status == ledger.COMPLETED
    assert len(history(event)) == 1


@pytest.mark.parametrize(
    ("claimed_us", "believed"),
    [
        (clock.to_us(NOW + 2 * SECOND), True),
        (clock.to_us(NOW - timedelta(minutes=4)), True),
        (clock.to_us(NOW - timedelta(minutes=6)), False),
        (clock.to_us(NOW + timedelta(minutes=20)), False),
        (0, False),
        (2**53 - 1, False),
        (10**40, False),
    ],
)
def test_an_impossible_instant_is_kept_in_the_history_and_not_believed(shop, claimed_us, believed):
    event, device = make_event(shop), shop.devices[0]
    arrived = NOW + 8 * SECOND
    stored(begun(event, claimed_us), device=device, at=arrived)
    assert fresh(event).started_at == (clock.from_us(claimed_us) if believed else arrived)
    stored(receipt(event, ended_at=claimed_us), device=device, at=arrived)
    assert fresh(event).completed_at == (clock.from_us(claimed_us) if believed else arrived)
    with system_scope("test"):
        assert event.changes.first().detail["started_at_us"] == claimed_us


def test_the_device_s_own_words_stand_in_the_error(shop):
    event = make_event(shop)
    stored(receipt(event, outcome="failed_decode", error="bad frame 7"), device=shop.devices[0])
    assert "could not decode" in fresh(event).error_message
    assert "bad frame 7" in fresh(event).error_message


def test_a_plain_receipt_ends_the_play_that_was_told(shop):
    device, words = shop.devices[0], make_announcement(shop)
    ended = make_event(shop, announcement=words, status=ledger.COMPLETED, outcome="played")
    waiting = make_event(shop, announcement=words, play_at=NOW + timedelta(hours=1))
    told_of = make_event(shop, announcement=words, status=ledger.DELIVERED)
    elsewhere = make_event(shop, announcement=words, status=ledger.DELIVERED, device=shop.devices[1])
    about_the_ended_one = receipt(ended)
    stored(about_the_ended_one, PlaybackComplete(announcement_id=words.pk), device=device)
    assert fresh(told_of).status == ledger.COMPLETED
    assert fresh(waiting).status == ledger.PENDING
    assert fresh(elsewhere).status == ledger.DELIVERED
    assert history(ended) == []


def test_many_reports_cost_as_many_queries_as_one(shop):
    device = shop.devices[0]
    one, many = [make_event(shop)], [make_event(shop) for _ in range(20)]
    counts = []
    for events in (one, many):
        with CaptureQueriesContext(connection) as queries:
            stored(*[receipt(event) for event in events], device=device)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    with system_scope("test"):
        assert PlayEvent.objects.filter(status=ledger.COMPLETED).count() == 21
