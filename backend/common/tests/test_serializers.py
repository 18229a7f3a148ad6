"""References stay inside one business; the client of a new row is the caller's, or named by staff."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from common.api import scope_of
from common.serializers import TenantRelatedField, TenantSerializer, WallClockField, refuse_foreign
from common.tenancy import OutsideScope, Scope, entered
from devices.models import Device
from users.models import User
from zones.models import Floor

HUGE = 10**30


class DeviceLike(TenantSerializer[Device]):
    """A row with one reference."""

    class Meta:
        model = Device
        fields = ["id", "client", "floor", "name", "device_id"]


class PersonLike(TenantSerializer[User]):
    """A model whose default manager is unscoped points at others here."""

    class Meta:
        model = Floor
        fields = ["id", "client", "name", "created_by"]
        validators: list[Any] = []


class ItemLike(serializers.Serializer[Any]):
    """Something nested with a reference."""

    floor = TenantRelatedField(queryset=Floor.objects, allow_null=True)


class TargetsLike(serializers.Serializer[Any]):
    """A plain body with lists of references."""

    floors = TenantRelatedField(queryset=Floor.objects, many=True, required=False)
    items = ItemLike(many=True, required=False)
    one = ItemLike(required=False)


def codes(serializer: serializers.BaseSerializer[Any]) -> Any:
    """Error codes by field; {} when valid."""
    if serializer.is_valid():
        return {}
    return _codes(serializer.errors)


def _codes(detail: Any) -> Any:
    if isinstance(detail, dict):
        return {name: _codes(inner) for name, inner in detail.items()}
    return [_codes(inner) if isinstance(inner, dict | list) else inner.code for inner in detail]


@pytest.mark.parametrize(
    ("who", "body", "expected"),
    [
        ("admin", {}, {}),
        ("admin", {"client": "own"}, {}),
        ("admin", {"client": "other"}, {"client": ["does_not_exist"]}),
        ("admin", {"floor": "own"}, {}),
        ("admin", {"floor": None}, {}),
        ("admin", {"floor": "other"}, {"floor": ["does_not_exist"]}),
        ("admin", {"floor": HUGE}, {"floor": ["does_not_exist"]}),
        ("admin", {"floor": "ground"}, {"floor": ["incorrect_type"]}),
        ("admin", {"floor": True}, {"floor": ["incorrect_type"]}),
        ("admin", {"floor": 1.5}, {"floor": ["incorrect_type"]}),
        ("admin", {"floor": [1]}, {"floor": ["incorrect_type"]}),
        ("admin", {"client": None}, {"client": ["null"]}),
        ("staff", {}, {"client": ["required"]}),
        ("staff", {"client": "own"}, {}),
        ("staff", {"client": "other"}, {}),
        ("staff", {"client": HUGE}, {"client": ["does_not_exist"]}),
        ("staff", {"client": "own", "floor": "own"}, {}),
        ("staff", {"client": "own", "floor": "other"}, {"floor": ["other_client"]}),
        ("floor_user", {"floor": "own"}, {}),
        ("floor_user", {"floor": "upper"}, {"floor": ["does_not_exist"]}),
    ],
)
def test_what_a_new_row_may_refer_to(
    who: str, body: dict[str, Any], expected: Any, shop: Any, other_shop: Any, staff: User
) -> None:
    places = {
        "client": {"own": shop.client.pk, "other": other_shop.client.pk},
        "floor": {"own": shop.floors[0].pk, "upper": shop.floors[1].pk, "other": other_shop.floors[0].pk},
    }
    data = {"name": "Till", "device_id": "hw-new"} | {
        name: places[name].get(value, value) if isinstance(value, str) else value
        for name, value in body.items()
    }
    caller = {"admin": shop.admin, "staff": staff, "floor_user": shop.floor_user}[who]
    with entered(scope_of(caller)):
        serializer = DeviceLike(data=data)
        assert codes(serializer) == expected
        if not expected:
            named = other_shop if body.get("client") == "other" else shop
            assert serializer.validated_data["client"] == named.client


def test_a_row_never_changes_its_client(shop: Any, other_shop: Any, staff: User) -> None:
    with entered(scope_of(staff)):
        device = shop.devices[0]
        moved = DeviceLike(device, data={"client": other_shop.client.pk}, partial=True)
        assert codes(moved) == {"client": ["client_fixed"]}
        same = DeviceLike(device, data={"client": shop.client.pk, "name": "Door"}, partial=True)
        assert codes(same) == {}
        assert same.validated_data == {"name": "Door"}
        strange = DeviceLike(device, data={"floor": other_shop.floors[0].pk}, partial=True)
        assert codes(strange) == {"floor": ["other_client"]}


def test_a_reference_to_people_is_scoped_although_their_default_manager_is_not(
    shop: Any, other_shop: Any
) -> None:
    with entered(scope_of(shop.admin)):
        stranger = PersonLike(data={"name": "Loft", "created_by": other_shop.admin.pk})
        assert codes(stranger) == {"created_by": ["does_not_exist"]}
        own = PersonLike(data={"name": "Loft", "created_by": shop.admin.pk})
        assert codes(own) == {}


def test_a_lookup_outside_any_scope_raises(shop: Any) -> None:
    with pytest.raises(OutsideScope):
        DeviceLike(data={"name": "x", "device_id": "y", "floor": shop.floors[0].pk}).is_valid()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], {}),
        (["upper", "ground", "upper"], {}),
        (["ground", "other"], {"floors": {"1": ["does_not_exist"]}}),
        (["ground", HUGE], {"floors": {"1": ["does_not_exist"]}}),
        (["ground", "rubbish", True], {"floors": {"1": ["incorrect_type"], "2": ["incorrect_type"]}}),
        ({"0": 1}, {"floors": ["not_a_list"]}),
        (7, {"floors": ["not_a_list"]}),
        ("7", {"floors": ["not_a_list"]}),
    ],
)
def test_a_list_of_references(given: Any, expected: Any, shop: Any, other_shop: Any) -> None:
    ids = {"ground": shop.floors[0].pk, "upper": shop.floors[1].pk, "other": other_shop.floors[0].pk}
    data = [ids.get(item, item) for item in given] if isinstance(given, list) else given
    with entered(scope_of(shop.admin)):
        serializer = TargetsLike(data={"floors": data})
        assert codes(serializer) == expected
        if not expected:
            found = serializer.validated_data["floors"]
            assert found == [Floor.objects.get(pk=pk) for pk in dict.fromkeys(data)]


def test_a_list_of_references_is_one_query(shop: Any) -> None:
    with entered(scope_of(shop.admin)):
        floors = Floor.objects.bulk_create(Floor(client=shop.client, name=f"F{n}") for n in range(40))
        serializer = TargetsLike(data={"floors": [floor.pk for floor in floors]})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert serializer.is_valid()
    assert len(queries) == 1


def test_staff_may_not_mix_clients_even_in_nested_places(shop: Any, other_shop: Any) -> None:
    own, foreign = shop.floors[0].pk, other_shop.floors[0].pk
    body = {
        "floors": [own, foreign],
        "items": [{"floor": own}, {"floor": None}, {"floor": foreign}],
        "one": {"floor": foreign},
    }
    with entered(Scope()):
        serializer = TargetsLike(data=body)
        assert serializer.is_valid()
        with pytest.raises(serializers.ValidationError) as refused:
            refuse_foreign(serializer, serializer.validated_data, shop.client.pk)
        assert set(refused.value.detail) == {"floors", "items.2.floor", "one.floor"}
        fine = TargetsLike(data={"floors": [own], "items": [{"floor": own}]})
        assert fine.is_valid()
        refuse_foreign(fine, fine.validated_data, shop.client.pk)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("08:30", True),
        ("08:30:15", True),
        ("08:30:15.5", True),
        ("08:30Z", False),
        ("08:30:00+02:00", False),
        ("8:30", False),
        ("24:00", False),
        ("08:30\n", False),
    ],
)
def test_a_time_of_day_has_no_zone(text: str, good: bool) -> None:
    if good:
        assert WallClockField().run_validation(text).hour == 8
    else:
        with pytest.raises(serializers.ValidationError):
            WallClockField().run_validation(text)
