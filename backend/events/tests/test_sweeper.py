"""The sweeper: which events end by themselves, when, and why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.tenancy import system_scope
from events import sweeper
from events.domain import ledger
from events.models import PlayEvent
from events.tests.support import NOW, fresh, history, make_event, online

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "seen_s_ago", "swept_after_s", "reason"),
    [
        (ledger.PENDING, 10, 4.9, None),
        (ledger.PENDING, 10, 5.1, "expired"),
        (ledger.PENDING, 44, 5.1, "offline"),
        (ledger.PENDING, 120, 5.1, "offline"),
        (ledger.PENDING, None, 5.1, "offline"),
        (ledger.DELIVERED, 10, 66, None),
        (ledger.DELIVERED, 10, 66.1, "no_receipt"),
        (ledger.PLAYING, 10, 66, None),
        (ledger.PLAYING, None, 66.1, "no_receipt"),
        (ledger.COMPLETED, 10, 999, None),
        (ledger.FAILED, 10, 999, None),
    ],
)
def test_why_an_event_ends(shop, status, seen_s_ago, swept_after_s, reason):
    """Ordered at 0 s for 1 s, five seconds long, expires at 3 s; `seen_s_ago` counts from the order."""
    if seen_s_ago is not None:
        online(shop.devices[0], now=NOW - seen_s_ago * SECOND)
    event = make_event(shop, status=status)
    now = NOW + swept_after_s * SECOND
    assert sweeper.sweep(now=now) == (reason is not None)
    row = fresh(event)
    if reason is None:
        assert (row.status, row.reason, history(event)) == (status, "", [])
    else:
        assert (row.status, row.reason, row.completed_at) == (ledger.FAILED, reason, now)
        assert row.error_message == ledger.REASONS[reason]
        assert history(event) == [("failed", reason, "sweeper", False)]
    assert sweeper.sweep(now=now) == 0, "once"


def test_a_play_that_began_late_is_given_its_length(shop):
    started = NOW + 10 * SECOND
    make_event(shop, status=ledger.PLAYING, started_at=started)
    assert sweeper.sweep(now=started + 65 * SECOND) == 0
    assert sweeper.sweep(now=started + 65.1 * SECOND) == 1


def test_a_device_that_was_removed(shop):
    event = make_event(shop)
    with system_scope("test"):
        shop.devices[0].delete()
    assert sweeper.sweep(now=NOW + 4 * SECOND) == 0
    assert sweeper.sweep(now=NOW + 6 * SECOND) == 1
    assert fresh(event).reason == "device_removed"
    assert fresh(event).device_name == "Speaker Ground"


def test_what_will_not_end_yet_does_not_keep_others_waiting(shop, monkeypatch):
    """A batch full of plays whose receipts may still come must not hide those that are over."""
    monkeypatch.setattr(sweeper, "AT_ONCE", 3)
    for _ in range(4):
        make_event(shop, status=ledger.DELIVERED)
    over = make_event(shop, play_at=NOW + 2 * SECOND, expires_at=NOW + 4 * SECOND)
    assert sweeper.sweep(now=NOW + 7 * SECOND) == 1
    assert fresh(over).status == ledger.FAILED


def test_every_business_is_swept_at_the_same_cost(shop, other_shop, django_assert_max_num_queries):
    for business in (shop, other_shop):
        for _ in range(10):
            make_event(business)
    with django_assert_max_num_queries(7):  # one of them asks for webhooks
        assert sweeper.sweep(now=NOW + 6 * SECOND) == 20
    with system_scope("test"):
        assert PlayEvent.objects.filter(reason="offline").count() == 20
