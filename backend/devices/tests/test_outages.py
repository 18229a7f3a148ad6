"""What is written of speakers that go away and come back, by a clock of the test's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from common import clock
from devices import outages, presence, services, tasks
from devices.models import LEASE, Device, ListeningSpan, Outage
from devices.tests.test_presence import START, TICK, Fleet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_system")]
SPELL = timedelta(minutes=5)


class Watched(Fleet):
    """A fleet whose presence and outages are watched at every tick."""

    def passes(self, span: timedelta, *calling: Device, serving: bool = True) -> None:
        """Time passes; those who call call every 5 s, and the server watches, if it serves."""
        end = self.now + span
        while self.now < end:
            self.now += TICK
            if serving:
                presence.listening(now=self.now)
                called = Device.objects.filter(pk__in=[device.pk for device in calling])
                called.update(last_seen=self.now)
                services.watch_presence(now=self.now)
                outages.watch_outages(now=self.now)

    def stands_still(self, span: timedelta) -> None:
        """The server is down so long, and what its process remembered is gone."""
        self.passes(span, serving=False)
        cache.delete(presence.LISTENING)

    def record(self) -> list[tuple[int, timedelta, timedelta | None]]:
        """Index of the device, start and end since START of each outage."""
        index = {device.pk: place for place, device in enumerate(self.devices)}
        return [
            (index[row.device_id], row.started_at - START, row.ended_at and row.ended_at - START)
            for row in Outage.objects.order_by("started_at", "device")
        ]


@pytest.fixture
def fleet(shop: Any) -> Watched:
    """Two devices that have been online for five minutes."""
    fleet = Watched(shop)
    fleet.passes(SPELL, *fleet.devices)
    return fleet


def test_an_outage_lasts_from_the_last_sign_of_life_to_the_next(fleet: Watched) -> None:
    _, other = fleet.devices
    fleet.passes(LEASE - TICK, other)
    assert fleet.record() == []
    fleet.passes(TICK, other)
    assert fleet.record() == [(0, SPELL, None)]
    fleet.passes(SPELL, other)
    fleet.passes(TICK, *fleet.devices)
    assert fleet.record() == [(0, SPELL, 2 * SPELL + LEASE + TICK)]
    fleet.passes(SPELL, *fleet.devices)
    assert len(fleet.record()) == 1


def test_a_speaker_that_never_called_is_not_missed(shop: Any) -> None:
    fleet = Watched(shop)
    fleet.passes(SPELL, fleet.devices[0])
    assert fleet.record() == []
    first, second = (Device.objects.get(pk=device.pk) for device in fleet.devices)
    assert (first.first_seen, second.first_seen) == (START + TICK, None)


@pytest.mark.parametrize("down", [timedelta(seconds=40), timedelta(minutes=10), timedelta(days=2)])
def test_a_restart_of_the_server_is_nobody_s_outage(fleet: Watched, down: timedelta) -> None:
    fleet.stands_still(down)
    fleet.passes(LEASE - TICK)  # the fleet takes its time
    fleet.passes(SPELL, *fleet.devices)
    assert fleet.record() == []


def test_who_does_not_come_back_after_a_restart_is_away_since_then(fleet: Watched) -> None:
    fleet.stands_still(SPELL)
    fleet.passes(SPELL, fleet.devices[0])
    assert fleet.record() == [(1, 2 * SPELL + TICK, None)]


def test_one_that_is_away_over_a_restart_has_one_outage(fleet: Watched) -> None:
    one, other = fleet.devices
    fleet.passes(SPELL, one)
    fleet.stands_still(SPELL)
    fleet.passes(SPELL, one)
    fleet.passes(TICK, one, other)
    assert fleet.record() == [(1, SPELL, 4 * SPELL + TICK)]
    assert [(row.started_at - START, row.ended_at - START) for row in ListeningSpan.objects.all()] == [
        (TICK, 2 * SPELL - timedelta(seconds=10)),  # noted every 15 s
        (3 * SPELL + TICK, 4 * SPELL + TICK),
    ]


def test_while_nobody_can_hear_nobody_is_missed(fleet: Watched) -> None:
    cache.delete(presence.LISTENING)
    for _ in range(100):
        fleet.now += TICK
        outages.watch_outages(now=fleet.now)
    assert fleet.record() == []


def test_a_clock_that_is_set_back_leaves_no_outage_that_ends_before_it_began(fleet: Watched) -> None:
    fleet.passes(SPELL, fleet.devices[0])
    Device.objects.filter(pk=fleet.devices[1].pk).update(last_seen=START)
    outages.watch_outages(now=START + TICK)
    assert fleet.record() == [(1, SPELL, SPELL)]


def test_at_rest_it_is_three_queries(fleet: Watched, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):
        assert outages.watch_outages(now=fleet.now) == 0


def test_a_thousand_that_go_and_come_cost_as_much_as_one(
    fleet: Watched, django_assert_max_num_queries: Any
) -> None:
    shop = fleet.business
    Device.objects.bulk_create(
        Device(client=shop.client, name="n", device_id=f"many-{n}", last_seen=fleet.now) for n in range(1000)
    )
    gone = fleet.now + LEASE
    presence.listening(now=gone)
    with django_assert_max_num_queries(12):
        assert outages.watch_outages(now=gone) == 1002
    Device.objects.update(last_seen=gone + TICK)
    with django_assert_max_num_queries(8):
        assert outages.watch_outages(now=gone + TICK) == 1002
    assert not Outage.objects.filter(ended_at=None).exists()


@pytest.mark.production
def test_a_thousand_come_back_where_the_database_takes_the_tables_for_empty(fleet: Watched) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET reltuples = 0, relpages = 1 WHERE relname IN ('devices', 'device_outages')"
        )
        cursor.execute("SET LOCAL statement_timeout = '3s'")  # it took 17, and 20 ms without a join
    Device.objects.bulk_create(
        Device(client=fleet.business.client, name="n", device_id=f"many-{n}", last_seen=fleet.now)
        for n in range(1000)
    )
    gone = fleet.now + LEASE
    presence.listening(now=gone)
    assert outages.watch_outages(now=gone) == 1002
    Device.objects.update(last_seen=gone + TICK)
    assert outages.watch_outages(now=gone + TICK) == 1002


def test_they_go_with_their_device(fleet: Watched) -> None:
    fleet.passes(SPELL)
    services.delete_device(device=fleet.devices[0])
    assert Outage.objects.count() == 1


def test_the_periodic_work_writes_it(fleet: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    presence.listening(now=fleet.now)
    monkeypatch.setattr(clock, "now", lambda: fleet.now + LEASE)
    tasks.watch_presence()
    assert [place for place, *_ in fleet.record()] == [0, 1]
