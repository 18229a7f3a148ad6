"""Floors: who sees and changes which, the plan's limit, volumes, quiet hours, counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditLog
from clients.models import Client
from common import clock
from common.tenancy import system_scope
from devices.models import LEASE, Device
from users.models import User
from zones.models import Floor

URL = "/api/floors/"


def url(floor: Floor) -> str:
    """The address of one floor."""
    return f"{URL}{floor.pk}/"


def plan(shop: Any, **fields: Any) -> None:
    """What the business has agreed."""
    Client._base_manager.filter(pk=shop.client.pk).update(**fields)


def errors(answer: Any) -> list[tuple[Any, str]]:
    """(field, code) of everything that was wrong."""
    return [(error["field"], error["code"]) for error in answer.data.get("errors", [])]


def names(answer: Any) -> set[tuple[int, str]]:
    """Client and name of the floors on a page."""
    return {(row["client"], row["name"]) for row in answer.json()["results"]}


# (method, which floor, {caller: status})
TABLE = [
    ("get", None, {"nobody": 401, "floor_user": 200, "admin": 200, "staff": 200}),
    ("post", None, {"nobody": 401, "floor_user": 403, "admin": 201, "staff": 400}),
    ("get", "ground", {"nobody": 401, "floor_user": 200, "admin": 200, "staff": 200}),
    ("patch", "ground", {"nobody": 401, "floor_user": 403, "admin": 200, "staff": 200}),
    ("put", "ground", {"nobody": 405, "floor_user": 405, "admin": 405, "staff": 405}),
    ("delete", "ground", {"nobody": 401, "floor_user": 403, "admin": 204, "staff": 204}),
    ("get", "upper", {"floor_user": 404, "admin": 200, "staff": 200}),
    ("patch", "upper", {"floor_user": 403, "admin": 200, "staff": 200}),
    ("get", "strange", {"nobody": 401, "floor_user": 404, "admin": 404, "staff": 200}),
    ("patch", "strange", {"nobody": 401, "floor_user": 403, "admin": 404, "staff": 200}),
    ("delete", "strange", {"nobody": 401, "floor_user": 403, "admin": 404, "staff": 204}),
]


@pytest.mark.parametrize(
    ("method", "which", "who", "status"),
    [(method, which, who, status) for method, which, row in TABLE for who, status in row.items()],
)
def test_who_may(
    method: str, which: str | None, who: str, status: int, call: Any, shop: Any, other_shop: Any, staff: User
) -> None:
    caller = {"nobody": None, "floor_user": shop.floor_user, "admin": shop.admin, "staff": staff}[who]
    floors = {"ground": shop.floors[0], "upper": shop.floors[1], "strange": other_shop.floors[0]}
    target = URL if which is None else url(floors[which])
    answer = getattr(call(caller), method)(target, {"name": "Loft"} if method != "get" else None)
    assert answer.status_code == status, answer.data
    if status >= 400:
        assert answer["Content-Type"] == "application/problem+json"


# --- lists -------------------------------------------------------------------------------------------------


def test_exactly_what_each_may_see(call: Any, shop: Any, other_shop: Any, staff: User) -> None:
    own = {(shop.client.pk, "Ground"), (shop.client.pk, "Upper")}
    others = {(other_shop.client.pk, "Ground"), (other_shop.client.pk, "Upper")}
    assert names(call(shop.admin).get(URL)) == own
    assert names(call(shop.floor_user).get(URL)) == {(shop.client.pk, "Ground")}
    assert names(call(staff).get(URL)) == own | others
    assert names(call(staff).get(URL, {"client": other_shop.client.pk})) == others
    assert names(call(shop.admin).get(URL, {"client": other_shop.client.pk})) == set()
    User.everyone.filter(pk=shop.floor_user.pk).update(floor=None)
    assert names(call(shop.floor_user).get(URL)) == set()


def test_filters_search_and_order(call: Any, shop: Any) -> None:
    Floor._base_manager.filter(pk=shop.floors[1].pk).update(is_premium=True, description="Shoes")
    ground, upper = (shop.client.pk, "Ground"), (shop.client.pk, "Upper")
    cases: list[tuple[dict[str, Any], set[tuple[int, str]]]] = [
        ({"is_premium": "true"}, {upper}),
        ({"is_premium": "false"}, {ground}),
        ({"search": "shoe"}, {upper}),
        ({"search": "gro"}, {ground}),
    ]
    for query, expected in cases:
        assert names(call(shop.admin).get(URL, query)) == expected, query
    for order in ("name", "-name", "-created_at", "devices_count"):
        rows = call(shop.admin).get(URL, {"ordering": order}).json()["results"]
        column = [row[order.lstrip("-")] for row in rows]
        assert column == sorted(column, reverse=order[0] == "-")


def test_a_list_costs_the_same_for_two_and_twenty_two(call: Any, shop: Any) -> None:
    costs = []
    for more in (0, 20):
        with system_scope("test data"):
            for number in range(more):
                floor = Floor.objects.create(client=shop.client, name=f"F{number}", created_by=shop.admin)
                Device.objects.create(client=shop.client, floor=floor, name="d", device_id=f"many-{number}")
        with CaptureQueriesContext(connection) as queries:
            assert len(call(shop.admin).get(URL).json()["results"]) == 2 + more
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_a_floor_whole(call: Any, shop: Any) -> None:
    plan(shop, timezone="Europe/London")
    now = clock.now()
    with system_scope("test data"):
        for number, seen in enumerate([None, now, now - LEASE - timedelta(seconds=5)]):
            Device.objects.create(
                client=shop.client, floor=shop.floors[1], name="d", device_id=f"d{number}", last_seen=seen
            )
    Floor._base_manager.filter(pk=shop.floors[1].pk).update(created_by=shop.admin)
    User.everyone.filter(pk=shop.admin.pk).update(first_name="Ada", last_name="King")
    floor = call(shop.admin).get(url(shop.floors[1])).json()
    created_at = floor.pop("created_at")
    assert created_at.endswith("Z")
    assert floor == {
        "id": shop.floors[1].pk,
        "client": shop.client.pk,
        "name": "Upper",
        "description": "",
        "is_premium": False,
        "timezone": "",
        "effective_timezone": "Europe/London",
        "default_volume": 75,
        "min_volume": 0,
        "max_volume": 100,
        "quiet_hours_start": None,
        "quiet_hours_end": None,
        "devices_count": 4,
        "devices_online": 1,
        "created_by": shop.admin.pk,
        "created_by_name": "Ada King",
    }


# --- making ------------------------------------------------------------------------------------------------


def test_a_new_floor(call: Any, shop: Any) -> None:
    body = {
        "name": "Loft",
        "description": "Under the roof",
        "timezone": "Asia/Tokyo",
        "default_volume": 40,
        "min_volume": 20,
        "max_volume": 60,
        "quiet_hours_start": "22:00",
        "quiet_hours_end": "06:30:00",
        "is_premium": False,
        "created_by": shop.floor_user.pk,
        "devices_count": 9,
    }
    answer = call(shop.admin).post(URL, body)
    assert answer.status_code == 201, answer.data
    assert (
        answer.json()
        | {
            "client": shop.client.pk,
            "name": "Loft",
            "is_premium": True,
            "effective_timezone": "Asia/Tokyo",
            "quiet_hours_start": "22:00:00",
            "quiet_hours_end": "06:30:00",
            "devices_count": 0,
            "created_by": shop.admin.pk,
        }
        == answer.json()
    )
    with system_scope("the test reads the trail"):
        (entry,) = AuditLog.objects.filter(
            action="create", resource="floor", resource_id=str(answer.data["id"])
        )
    assert (entry.client_id, entry.user_id) == (shop.client.pk, shop.admin.pk)


def test_the_client_of_a_new_floor(call: Any, shop: Any, other_shop: Any, staff: User) -> None:
    own, other = shop.client.pk, other_shop.client.pk
    assert errors(call(staff).post(URL, {"name": "Loft"})) == [("client", "required")]
    assert call(staff).post(URL, {"name": "Loft", "client": other}).data["client"] == other
    assert errors(call(shop.admin).post(URL, {"name": "Loft", "client": other})) == [
        ("client", "does_not_exist")
    ]
    assert call(shop.admin).post(URL, {"name": "Loft", "client": own}).data["client"] == own
    assert errors(call(staff).patch(url(shop.floors[0]), {"client": other})) == [("client", "client_fixed")]


@pytest.mark.parametrize(
    ("several", "most", "allowed"), [(False, 1, "one floor"), (False, 9, "one floor"), (True, 2, "2 floors")]
)
def test_the_plan_limits_floors(
    several: bool, most: int, allowed: str, call: Any, shop: Any, staff: User
) -> None:
    plan(shop, multi_floor_enabled=several, max_floors=most)
    for caller in (shop.admin, staff):
        answer = call(caller).post(URL, {"name": "Loft", "client": shop.client.pk})
        assert (answer.status_code, answer.data["code"]) == (403, "floor_limit")
        assert allowed in answer.data["detail"]
        assert "Ask sync2gear" in answer.data["detail"]
        assert answer.data["floors_used"] == 2
    assert Floor._base_manager.filter(client=shop.client).count() == 2


def test_others_floors_do_not_count(call: Any, shop: Any, other_shop: Any, staff: User) -> None:
    plan(shop, max_floors=4)
    assert call(shop.admin).post(URL, {"name": "Loft"}).status_code == 201
    assert call(staff).post(URL, {"name": "Roof", "client": shop.client.pk}).status_code == 201
    assert call(shop.admin).post(URL, {"name": "Cellar"}).data["code"] == "floor_limit"


def test_the_first_floor_is_free_and_stays_one(call: Any, shop: Any) -> None:
    Floor._base_manager.filter(client=shop.client).delete()
    plan(shop, max_floors=9)

    def premium() -> dict[str, bool]:
        return dict(Floor._base_manager.filter(client=shop.client).values_list("name", "is_premium"))

    for name in ("A", "B", "C"):
        assert call(shop.admin).post(URL, {"name": name, "is_premium": name == "A"}).status_code == 201
    assert premium() == {"A": False, "B": True, "C": True}
    first = Floor._base_manager.get(name="A", client=shop.client)
    assert call(shop.admin).patch(url(first), {"is_premium": True}).status_code == 200
    assert premium() == {"A": False, "B": True, "C": True}
    assert call(shop.admin).delete(url(first)).status_code == 204
    assert premium() == {"B": False, "C": True}
    assert call(shop.admin).delete(url(Floor._base_manager.get(name="C"))).status_code == 204
    assert premium() == {"B": False}
    call(shop.admin).delete(url(Floor._base_manager.get(name="B")))
    assert call(shop.admin).post(URL, {"name": "D"}).data["is_premium"] is False


WRONG = [
    ({"name": ""}, [("name", "blank")]),
    ({"name": "x" * 256}, [("name", "max_length")]),
    ({"name": "Upper"}, [("name", "unique")]),
    ({"timezone": "Mars/Olympus"}, [("timezone", "unknown_time_zone")]),
    ({"default_volume": 101}, [("default_volume", "max_value")]),
    ({"min_volume": -1}, [("min_volume", "min_value")]),
    ({"max_volume": "loud"}, [("max_volume", "invalid")]),
    ({"min_volume": 80, "max_volume": 20}, [("min_volume", "volume_range")]),
    ({"min_volume": 80}, [("default_volume", "volume_range")]),
    ({"max_volume": 70}, [("default_volume", "volume_range")]),
    ({"quiet_hours_start": "22:00"}, [("quiet_hours_end", "quiet_hours")]),
    ({"quiet_hours_end": "06:00"}, [("quiet_hours_start", "quiet_hours")]),
    ({"quiet_hours_start": "22:00", "quiet_hours_end": "22:00:00"}, [("quiet_hours_end", "quiet_hours")]),
    ({"quiet_hours_start": "25:00", "quiet_hours_end": "06:00"}, [("quiet_hours_start", "invalid")]),
]


@pytest.mark.parametrize(("body", "expected"), WRONG)
def test_what_makes_no_sense_is_refused(body: Any, expected: Any, call: Any, shop: Any) -> None:
    made = call(shop.admin).post(URL, {"name": "Loft"} | body)
    assert (made.status_code, errors(made)) == (400, expected)
    before = Floor._base_manager.values().get(pk=shop.floors[0].pk)
    changed = call(shop.admin).patch(url(shop.floors[0]), body)
    assert (changed.status_code, errors(changed)) == (400, expected)
    assert Floor._base_manager.values().get(pk=shop.floors[0].pk) == before
    assert Floor._base_manager.filter(client=shop.client).count() == 2


@pytest.mark.parametrize(
    "body",
    [
        {"min_volume": 75, "max_volume": 75},
        {"min_volume": 0, "default_volume": 0, "max_volume": 0},
        {"quiet_hours_start": "22:00:00", "quiet_hours_end": "06:00:00"},
        {"quiet_hours_start": "00:00:00", "quiet_hours_end": "23:59:59"},
        {"quiet_hours_start": None, "quiet_hours_end": None},
        {"timezone": ""},
        {"name": "Ground"},
    ],
)
def test_what_makes_sense_is_kept(body: Any, call: Any, shop: Any) -> None:
    answer = call(shop.admin).patch(url(shop.floors[0]), body)
    assert answer.status_code == 200, answer.data
    assert answer.json() | body == answer.json()


def test_two_businesses_may_use_one_name(call: Any, shop: Any, other_shop: Any) -> None:
    assert call(shop.admin).post(URL, {"name": "Loft"}).status_code == 201
    assert call(other_shop.admin).post(URL, {"name": "Loft"}).status_code == 201


# --- removing ----------------------------------------------------------------------------------------------


def test_what_hung_on_a_floor_stays(call: Any, shop: Any) -> None:
    assert call(shop.admin).delete(url(shop.floors[0])).status_code == 204
    assert Device._base_manager.get(pk=shop.devices[0].pk).floor is None
    assert User.everyone.get(pk=shop.floor_user.pk).floor is None
    assert call(shop.floor_user).get("/api/auth/me/").json()["floor"] is None
    with system_scope("the test reads the trail"):
        (entry,) = AuditLog.objects.filter(action="delete", resource="floor")
    assert (entry.client_id, entry.resource_id) == (shop.client.pk, str(shop.floors[0].pk))


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"status": "suspended"}, 403, "client_suspended"),
        ({"status": "trial", "trial_ends_at": "past"}, 402, "trial_ended"),
    ],
)
def test_a_locked_business_reads_only(
    fields: Any, status: int, code: str, call: Any, shop: Any, staff: User
) -> None:
    if "trial_ends_at" in fields:
        fields = fields | {"trial_ends_at": clock.now() - timedelta(seconds=1)}
    plan(shop, **fields)
    caller = call(shop.admin)
    assert caller.get(URL).status_code == 200
    for answer in (
        caller.post(URL, {"name": "Loft"}),
        caller.patch(url(shop.floors[0]), {"name": "Loft"}),
        caller.delete(url(shop.floors[0])),
    ):
        assert (answer.status_code, answer.data["code"]) == (status, code)
    assert call(staff).patch(url(shop.floors[0]), {"name": "Loft"}).status_code == 200
