"""Who is told as away and as back, by a clock of the test's own: blips, restarts, the first call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from common import clock
from common.tenancy import system_scope
from devices import presence, store
from devices.models import LEASE, Device
from webhooks.tests.support import make_webhook, told

pytestmark = pytest.mark.django_db

START = clock.now().replace(microsecond=0)
DELAY = timedelta(seconds=60)
PATIENCE = LEASE + DELAY
TICK = timedelta(seconds=5)


class Fleet:
    """The devices of one business and a server, on a clock that the test turns."""

    def __init__(self, business: Any) -> None:
        self.business = business
        self.devices: list[Device] = business.devices
        self.now = START

    def passes(self, span: timedelta, *calling: Device, serving: bool = True) -> None:
        """Time passes; those who call call every 5 s, and the server watches, if it serves."""
        end = self.now + span
        while self.now < end:
            self.now += TICK
            if serving:
                presence.listening(now=self.now)
                with system_scope("test data"):
                    called = Device.objects.filter(pk__in=[device.pk for device in calling])
                    called.update(last_seen=self.now)
                presence.tell_presence(now=self.now)

    def told(self) -> list[tuple[str, int]]:
        """Type and index of the device of each event."""
        index = {device.pk: place for place, device in enumerate(self.devices)}
        return [(type_, index[data["device"]["id"]]) for type_, data in told(self.business)]


@pytest.fixture
def fleet(shop: Any) -> Fleet:
    """Two devices that have been online for a while, and were told so."""
    fleet = Fleet(shop)
    fleet.passes(2 * PATIENCE, *fleet.devices)
    make_webhook(shop)
    return fleet


def test_a_first_call_is_told(shop: Any, other_shop: Any) -> None:
    make_webhook(shop)
    fleet = Fleet(shop)
    fleet.passes(2 * PATIENCE)
    assert fleet.told() == [], "nobody misses a speaker that never called"
    fleet.passes(TICK, fleet.devices[0])
    [(type_, data)] = told(shop)
    device = fleet.devices[0]
    assert type_ == "device.online"
    assert data["device"] == {"id": device.pk, "name": device.name, "hardware_id": device.device_id}
    assert data["floor"] == {"id": device.floor.pk, "name": device.floor.name}
    assert told(other_shop) == []


def test_one_that_is_away_is_told_once_and_once_when_it_is_back(fleet: Fleet) -> None:
    one, other = fleet.devices
    fleet.passes(PATIENCE - TICK, other)
    assert fleet.told() == []
    fleet.passes(TICK, other)
    assert fleet.told() == [("device.offline", 0)]
    fleet.passes(10 * PATIENCE, other)
    assert fleet.told() == [("device.offline", 0)]
    fleet.passes(PATIENCE, one, other)
    assert fleet.told() == [("device.offline", 0), ("device.online", 0)]


def test_one_that_flaps_is_not_told(fleet: Fleet) -> None:
    one, other = fleet.devices
    for _ in range(10):
        fleet.passes(PATIENCE - TICK, other)
        fleet.passes(TICK, one, other)
    assert fleet.told() == []


def test_the_delay_is_a_setting(fleet: Fleet, settings: Any) -> None:
    settings.WEBHOOK_OFFLINE_AFTER = timedelta(0)
    fleet.passes(LEASE - TICK, fleet.devices[1])
    assert fleet.told() == []
    fleet.passes(TICK, fleet.devices[1])
    assert fleet.told() == [("device.offline", 0)]


@pytest.mark.parametrize("down", [timedelta(seconds=40), timedelta(minutes=10), timedelta(days=2)])
def test_a_restart_of_the_server_is_nobody_s_absence(fleet: Fleet, down: timedelta) -> None:
    """However long it was down: the fleet comes back within its time, and nothing is told."""
    fleet.passes(down, serving=False)
    cache.delete(presence.LISTENING)  # as its life of half a minute, or the process's own cache, would
    fleet.passes(PATIENCE - TICK)
    fleet.passes(PATIENCE, *fleet.devices)
    assert fleet.told() == []


def test_who_does_not_come_back_after_a_restart_is_told(fleet: Fleet) -> None:
    fleet.passes(timedelta(minutes=10), serving=False)
    cache.delete(presence.LISTENING)
    fleet.passes(PATIENCE + TICK, fleet.devices[0])
    assert fleet.told() == [("device.offline", 1)]


def test_while_nobody_can_hear_nobody_is_missed(fleet: Fleet) -> None:
    """The watcher runs on (a Celery worker), but no process serves devices."""
    cache.delete(presence.LISTENING)
    for _ in range(100):
        fleet.now += TICK
        presence.tell_presence(now=fleet.now)
    assert fleet.told() == []


def test_a_process_that_hears_goes_on_since_when_the_first_began() -> None:
    presence.listening(now=START)
    presence.listening(now=START + TICK)
    assert cache.get(presence.LISTENING) == clock.to_us(START)


def test_watching_a_fleet_at_rest_is_one_query(fleet: Fleet, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert presence.tell_presence(now=fleet.now) == 0


@pytest.mark.parametrize(
    ("before", "values", "seen"),
    [
        (timedelta(seconds=1), {"plain": False}, START + timedelta(seconds=1)),  # two processes, out of order
        (-timedelta(seconds=1), {"plain": False}, START),
        (timedelta(minutes=10), {"plain": False}, START),  # the server's clock was set back since
        (timedelta(minutes=10), {}, START + timedelta(minutes=10)),  # a look, no sign of life
    ],
)
def test_when_a_device_was_last_seen(shop: Any, before: timedelta, values: Any, seen: Any) -> None:
    device = shop.devices[0]
    with system_scope("test data"):
        Device.objects.filter(pk=device.pk).update(last_seen=START + before, session_id="s")
    store.touch([store.Touch(device.pk, "s", START, values=values)])
    device.refresh_from_db()
    assert device.last_seen == seen
