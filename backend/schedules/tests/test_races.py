"""Several schedulers at the same moment, and a change in the middle of a tick."""

from __future__ import annotations

from datetime import timedelta
from threading import get_ident
from typing import Any

import pytest

from common.tenancy import system_scope
from conftest import make_business
from events.models import PlayEvent, PlayEventChange
from events.tests.support import make_announcement
from schedules import airing
from schedules.airing import plan_ahead
from schedules.models import Schedule, ScheduleOccurrence
from schedules.renewal import changed
from schedules.tests.support import NOON, make_schedule
from users.tests.support import at_once


@pytest.mark.django_db(transaction=True)
def test_schedulers_at_once_double_nothing_and_lose_nothing(shop: Any, published: list[Any]) -> None:
    announcement = make_announcement(shop)
    for _ in range(20):
        make_schedule(shop, [announcement], floors=shop.floors)
    at_once(*[lambda: plan_ahead(now=NOON)] * 4)
    with system_scope("test"):
        assert PlayEvent.objects.count() == 20 * 2 * 2
        assert not PlayEventChange.objects.exists()  # born pending, each once: there is nothing to tell yet
        assert ScheduleOccurrence.objects.count() == 20 * 2
        assert not Schedule.objects.filter(planned_until__lt=NOON + timedelta(minutes=2)).exists()
    targets = [(target.event_id, target.device) for plays in published for target in plays.targets]
    assert len(targets) == len(set(targets)) == 20 * 2 * 2


@pytest.mark.production
@pytest.mark.django_db(transaction=True)
def test_many_are_seen_to_by_two_hands(monkeypatch: pytest.MonkeyPatch, published: list[Any]) -> None:
    monkeypatch.setattr(airing, "AT_ONCE", 3)
    hands: set[int] = set()
    turn = airing._turn

    def seen(*arguments: Any) -> Any:
        hands.add(get_ident())
        return turn(*arguments)

    monkeypatch.setattr(airing, "_turn", seen)
    for business in (make_business(), make_business(), make_business()):
        announcement = make_announcement(business)
        for _ in range(4):
            make_schedule(business, [announcement], floors=business.floors)
    assert plan_ahead(now=NOON) == 3 * 4 * 2 * 2
    assert hands
    assert get_ident() not in hands
    with system_scope("test"):
        assert PlayEvent.objects.count() == 3 * 4 * 2 * 2
        assert not Schedule.objects.filter(planned_until__lt=NOON + timedelta(minutes=2)).exists()
    targets = [(target.event_id, target.device) for plays in published for target in plays.targets]
    assert len(targets) == len(set(targets)) == 3 * 4 * 2 * 2


@pytest.mark.django_db(transaction=True)
def test_changes_beside_ticks_are_not_lost(shop: Any) -> None:
    schedule = make_schedule(shop, floors=shop.floors)
    for number in range(5):
        now = NOON + timedelta(seconds=number)
        at_once(lambda now=now: plan_ahead(now=now), lambda now=now: changed(pk=schedule.pk, now=now))
        plan_ahead(now=now)
        with system_scope("test"):
            row = Schedule.objects.get(pk=schedule.pk)
        assert (row.stale, row.planned_until) == (False, NOON + timedelta(minutes=2))
    with system_scope("test"):
        rows = PlayEvent.objects.order_by("play_at").values_list("play_at", "status")
        assert list(rows) == [(NOON + timedelta(minutes=n), "pending") for n in (0, 1) for _ in shop.devices]
