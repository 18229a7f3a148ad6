"""Which plays are told as not heard: by the sweeper, by receipts, by a tick that came too late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from common import clock
from common.tenancy import system_scope
from devices.ports import DeviceReport
from events import planned, services, sweeper
from events.alerts import ALARMING
from events.delivery import EventLedger
from events.domain import ledger
from events.ports import PlannedEvent, PlannedPlay
from events.tests.support import NOW, ack, fresh, make_event, online, receipt
from webhooks.tests.support import make_webhook, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _subscribed(shop: Any, other_shop: Any) -> None:
    make_webhook(shop)
    make_webhook(other_shop)


def reasons(business: Any) -> list[list[str]]:
    """The reasons of the plays in each message."""
    return [[play["reason"] for play in data["plays"]] for _, data in told(business)]


def report(event: Any, message: Any) -> DeviceReport:
    return DeviceReport(device_pk=event.device_id, message=message, at=NOW)


def test_the_sweeper_tells(shop: Any, other_shop: Any) -> None:
    events = [make_event(shop), make_event(shop, device=shop.devices[1])]
    assert sweeper.sweep(now=NOW + timedelta(minutes=5)) == 2
    [(type_, data)] = told(shop)
    event, device = fresh(events[0]), shop.devices[0]
    assert type_ == "play.failed"
    assert len(data["plays"]) == 2
    assert next(play for play in data["plays"] if play["id"] == str(event.pk)) == {
        "id": str(event.pk),
        "play_id": str(event.play_id),
        "announcement": {"id": event.announcement_id, "title": event.announcement_title},
        "device": {"id": device.pk, "name": device.name},
        "floor": {"id": device.floor_id, "name": device.floor.name},
        "priority": "instant",
        "play_at": "2026-03-02T12:00:01Z",
        "reason": "offline",
        "detail": ledger.REASONS["offline"],
    }
    assert told(other_shop) == []


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("played", []),
        ("failed_fetch", [["download_failed"]]),
        ("skipped_late", [["expired"]]),
        ("skipped_quiet", []),
        ("skipped_preempted", []),
        ("skipped_cancelled", []),
    ],
)
def test_a_receipt_tells(shop: Any, outcome: str, expected: list[list[str]]) -> None:
    event = make_event(shop)
    message = receipt(event, outcome=outcome)
    for _ in range(2):
        EventLedger().store([report(event, message)], now=NOW)
    assert reasons(shop) == expected


def test_what_a_device_cannot_play(shop: Any) -> None:
    event = make_event(shop)
    EventLedger().store([report(event, ack(event, "cannot", "no codec"))], now=NOW)
    assert reasons(shop) == [["cannot"]]


def test_what_was_told_is_not_told_again_for_another_reason(shop: Any) -> None:
    """The sweeper has closed it; the receipt that comes late names the true reason, or that it was heard."""
    for outcome in ("failed_decode", "played"):
        event = make_event(shop)
        sweeper.sweep(now=NOW + timedelta(minutes=5))
        EventLedger().store([report(event, receipt(event, outcome=outcome))], now=NOW + timedelta(minutes=6))
    assert reasons(shop) == [["offline", "offline"]], "gathered, and nothing besides"


def test_a_person_s_cancellation_is_no_alarm(shop: Any) -> None:
    online(shop.devices[0], now=NOW)
    with system_scope("the test cancels"):
        services.cancel_events(events=[make_event(shop)], now=NOW)
    assert told(shop) == []


@pytest.mark.parametrize("reason", ["missed", "no_announcement", "quiet_hours", "exception_date", ""])
def test_what_a_tick_finds_too_late(shop: Any, reason: str) -> None:
    play = PlannedPlay(
        play_id=uuid4(),
        client_pk=shop.client.pk,
        floor_pk=shop.floors[0].pk,
        announcement_pk=None,
        priority="interval",
        play_at=clock.to_us(NOW),
        expires_at=clock.to_us(NOW + timedelta(seconds=2)),
        duck_db=-15.0,
        late="skip",
        events=[PlannedEvent(uuid4(), shop.devices[0].pk, 50)],
    )
    with system_scope("as a tick does"):
        for _ in range(2):
            planned.insert([play], now=NOW, reason=reason)
    assert reasons(shop) == ([[reason]] if reason in ALARMING else [])


def test_every_reason_is_known() -> None:
    assert set(ledger.REASONS) > ALARMING
