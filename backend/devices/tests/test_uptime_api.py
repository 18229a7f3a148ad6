"""`/api/devices/uptime/` and `/api/devices/{id}/outages/`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common import clock
from common.tenancy import system_scope
from devices.models import Device, ListeningSpan, Outage

pytestmark = pytest.mark.django_db
URL = "/api/devices/uptime/"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WINDOW = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-09T00:00:00Z"}


def away(device: Device, start: datetime, length: timedelta | None) -> Outage:
    """An outage; None: it lasts."""
    return Outage.objects.create(
        device=device, started_at=start, ended_at=None if length is None else start + length
    )


@pytest.fixture
def week(shop: Any, other_shop: Any, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """It is Wednesday noon. The server was down on Tuesday from 0 to 6; ground was away twice and is away still, upper
    called for the first time on Tuesday noon."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    ground, upper = shop.devices
    with system_scope("test data"):
        Device.objects.update(first_seen=monday - DAY)
        Device.objects.filter(pk=upper.pk).update(first_seen=monday + 1.5 * DAY)
        ListeningSpan.objects.create(started_at=monday - DAY, ended_at=monday + DAY)
        ListeningSpan.objects.create(started_at=monday + DAY + 6 * HOUR, ended_at=NOW - timedelta(seconds=20))
        away(ground, monday - HOUR, 3 * HOUR)  # two of them in the window
        away(ground, monday + 20 * HOUR, 12 * HOUR)  # six of them while nobody listened
        away(ground, NOW - HOUR, None)
        away(other_shop.devices[0], monday, None)
    return monday


def test_shares_outages_and_days(call: Any, shop: Any, week: datetime) -> None:
    answer = call(shop.admin).get(URL, WINDOW).json()
    assert (answer["from"], answer["to"]) == ("2026-03-02T00:00:00Z", "2026-03-04T12:00:00Z")
    assert answer["parts"] == [f"2026-03-0{day}T00:00:00Z" for day in (2, 3, 4)]
    ground, upper = answer["results"]
    hours = [24, 18, 12]
    assert ground == {
        "device": shop.devices[0].pk,
        "device_name": shop.devices[0].name,
        "floor": shop.floors[0].pk,
        "floor_name": "Ground",
        "share": pytest.approx(45 / 54),
        "counted_s": 54 * 3600,
        "away_s": 9 * 3600,
        "outages": 3,
        "longest_s": 6 * 3600,
        "counted_parts_s": [3600 * each for each in hours],
        "away_parts_s": [3600 * each for each in (6, 2, 1)],
    }
    assert (upper["share"], upper["outages"], upper["longest_s"]) == (1.0, 0, 0)
    assert upper["counted_parts_s"] == [0, 12 * 3600, 12 * 3600]


def test_by_the_hour_in_the_zone_of_the_business(call: Any, shop: Any, week: datetime) -> None:
    with system_scope("test data"):
        shop.client.timezone = "Asia/Kolkata"
        shop.client.save()
    asked = {"from": "2026-03-01T23:30:00Z", "to": "2026-03-02T02:30:00Z", "by": "hour"}
    answer = call(shop.admin).get(URL, asked | {"device": shop.devices[0].pk}).json()
    assert answer["timezone"] == "Asia/Kolkata"
    assert answer["parts"] == [f"2026-03-0{at}:00Z" for at in ("1T23:30", "2T00:30", "2T01:30")]
    assert [row["away_parts_s"] for row in answer["results"]] == [[3600, 3600, 1800]]


def test_a_speaker_that_never_called_and_a_time_to_come_have_no_share(
    call: Any, shop: Any, week: datetime
) -> None:
    with system_scope("test data"):
        Device.objects.update(first_seen=None)
    rows = call(shop.admin).get(URL, WINDOW).json()["results"]
    assert [(row["share"], row["outages"]) for row in rows] == [(None, 0)] * 2
    later = {"from": "2027-03-02T00:00:00Z", "to": "2027-03-09T00:00:00Z"}
    assert [row["share"] for row in call(shop.admin).get(URL, later).json()["results"]] == [None, None]


def test_who_sees_which(call: Any, shop: Any, other_shop: Any, staff: Any, week: datetime) -> None:
    def seen(person: Any, **more: Any) -> set[int]:
        return {row["device"] for row in call(person).get(URL, WINDOW | more).json()["results"]}

    ground, upper = (device.pk for device in shop.devices)
    assert seen(shop.admin) == {ground, upper}
    assert seen(shop.floor_user) == {ground}
    assert seen(shop.admin, floor=shop.floors[1].pk) == {upper}
    assert seen(shop.admin, floor=other_shop.floors[0].pk) == set()
    assert seen(staff, client=other_shop.client.pk) == {device.pk for device in other_shop.devices}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ("from", "required")),
        ({"from": "2026-03-02T00:00:00Z"}, ("to", "required")),
        (WINDOW | {"by": "minute"}, ("by", "invalid_choice")),
        (WINDOW | {"to": "2026-03-10T02:00:00Z", "by": "hour"}, ("to", "too_long")),
        (WINDOW | {"to": "2026-02-01T00:00:00Z"}, ("to", "before_start")),
        (WINDOW | {"to": "2027-02-01T00:00:00Z"}, ("to", "too_long")),
    ],
)
def test_windows_that_cannot_be(call: Any, shop: Any, query: dict[str, str], expected: Any) -> None:
    answer = call(shop.admin).get(URL, query)
    assert answer.status_code == 400
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [expected]


def test_an_autumn_of_ninety_two_days_has_an_hour_more(call: Any, shop: Any) -> None:
    autumn = {"from": "2026-08-31T22:00:00Z", "to": "2026-12-01T23:00:00Z"}  # midnights in Berlin
    assert call(shop.admin).get(URL, autumn).status_code == 200


def test_the_outages_of_one_speaker(call: Any, shop: Any, week: datetime) -> None:
    rows = call(shop.admin).get(f"/api/devices/{shop.devices[0].pk}/outages/").json()["results"]
    assert [(row["started_at"], row["ended_at"], row["seconds"] // 3600) for row in rows] == [
        ("2026-03-04T11:00:00Z", None, 1),
        ("2026-03-02T20:00:00Z", "2026-03-03T08:00:00Z", 6),
        ("2026-03-01T23:00:00Z", "2026-03-02T02:00:00Z", 3),
    ]
    assert call(shop.admin).get(f"/api/devices/{shop.devices[1].pk}/outages/").json()["results"] == []
