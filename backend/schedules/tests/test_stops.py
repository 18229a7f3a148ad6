"""The temporary stop of a floor over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit.models import AuditLog
from common.tenancy import system_scope
from devices.hub import Frame
from devices.protocol import CancelAnnouncement, PlanChanged
from events.tests.support import make_announcement
from schedules.airing import plan_ahead
from schedules.models import FloorStop
from schedules.tests.support import NOON, ledger_rows, make_schedule


def path(floor: Any, verb: str = "stop") -> str:
    """The endpoint."""
    return f"/api/floors/{floor.pk}/{verb}/"


def test_a_floor_user_stops_and_lifts(
    shop: Any, call: Any, at: Any, published: list[Any], commit: Any
) -> None:
    floor, pk = shop.floors[0], shop.devices[0].pk
    make_schedule(shop, floors=shop.floors, planned_until=NOON + timedelta(seconds=1))
    plan_ahead(now=NOON)
    client = call(shop.floor_user)
    with commit():
        stopped = client.post(path(floor), {}, format="json")
    assert (stopped.status_code, stopped.json()["until"]) == (201, None)
    with commit():
        plan_ahead(now=NOON)
    kinds = [type(each.message) for each in published if isinstance(each, Frame)]
    assert PlanChanged in kinds
    assert kinds.count(CancelAnnouncement) == 1
    assert ledger_rows(device=pk, play_at__gt=NOON) == [("12:01:00", pk, "failed", "floor_stopped")]
    assert ledger_rows(device=shop.devices[1])[-1][2] == "pending"
    at(NOON + timedelta(seconds=20))
    assert client.post(path(floor, "resume")).json() == {"resumed": True}
    assert client.post(path(floor, "resume")).json() == {"resumed": False}
    plan_ahead(now=NOON + timedelta(seconds=20))
    with system_scope("test"):
        (stop,) = FloorStop.objects.all()
        assert stop.until == NOON + timedelta(seconds=20)
        actions = AuditLog.objects.filter(resource="floor_stop").order_by("pk")
        assert [(entry.action, entry.client_id) for entry in actions] == [
            ("create", shop.client.pk),
            ("update", shop.client.pk),
        ]


@pytest.mark.usefixtures("at")
def test_stopping_again_says_until_when(shop: Any, call: Any) -> None:
    client = call(shop.admin)
    first = client.post(path(shop.floors[0]), {"until": "2026-07-01T13:00:00Z"}, format="json").json()
    second = client.post(path(shop.floors[0]), {"until": "2026-07-01T12:30:00Z"}, format="json").json()
    assert (first["id"], second["until"]) == (second["id"], "2026-07-01T12:30:00Z")
    past = client.post(path(shop.floors[0]), {"until": "2026-07-01T12:00:00Z"}, format="json")
    assert past.status_code == 400
    assert past.json()["errors"][0]["code"] == "in_the_past"


@pytest.mark.parametrize(
    ("until", "body", "answer"),
    [
        (None, {"all": True}, 409),
        (None, {"all": True, "override_quiet_hours": True}, 409),
        (None, {"all": True, "priority": "emergency"}, 202),
        ("2026-07-01T12:30:00Z", {"all": True}, 409),
        ("2026-07-01T12:30:00Z", {"all": True, "play_at": "2026-07-01T12:29:59Z"}, 409),
        ("2026-07-01T12:30:00Z", {"all": True, "play_at": "2026-07-01T12:30:00Z"}, 202),
    ],
)
@pytest.mark.usefixtures("at", "published")
def test_nothing_but_an_emergency_is_ordered_on_a_stopped_floor(
    shop: Any, call: Any, until: str | None, body: dict[str, Any], answer: int
) -> None:
    words = make_announcement(shop, title="Closing soon")
    call(shop.admin).post(path(shop.floors[0]), {"until": until}, format="json")
    order = f"/api/announcements/{words.pk}/play/"
    refused = call(shop.admin).post(order, body, format="json")
    assert refused.status_code == answer
    if answer == 409:
        assert (refused.json()["code"], refused.json()["floors"]) == ("floor_stopped", ["Ground"])
        elsewhere = {"floors": [shop.floors[1].pk]}
        assert call(shop.admin).post(order, elsewhere, format="json").status_code == 202
        call(shop.admin).post(path(shop.floors[0], "resume"))
        assert call(shop.admin).post(order, {"all": True}, format="json").status_code == 202


@pytest.mark.usefixtures("at")
def test_who_may(shop: Any, other_shop: Any, call: Any) -> None:
    assert call(shop.floor_user).post(path(shop.floors[1])).status_code == 404
    assert call(shop.admin).post(path(other_shop.floors[0])).status_code == 404
    assert call(None).post(path(shop.floors[0])).status_code == 401
    with system_scope("test"):
        type(shop.client).objects.filter(pk=shop.client.pk).update(status="suspended")
    assert call(shop.admin).post(path(shop.floors[0])).status_code == 201, "silence may always be asked for"
    assert call(shop.admin).post(path(shop.floors[0], "resume")).status_code == 403
