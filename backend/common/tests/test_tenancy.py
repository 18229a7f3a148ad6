"""Tenancy: the exact rows that each scope shows, and that nothing is shown outside one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clients.models import Client
from common.api import scope_of
from common.tenancy import (
    EVERYTHING,
    NOTHING,
    OutsideScope,
    Scope,
    current_scope,
    entered,
    narrow,
    scope_of_client,
    system_scope,
)
from devices.models import Device
from zones.models import Floor

if TYPE_CHECKING:
    from conftest import Business


def names(model: Any) -> set[str]:
    return set(model.objects.values_list("name", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Client, Floor, Device])
def test_a_query_outside_any_scope_raises(model: Any) -> None:
    with pytest.raises(OutsideScope):
        model.objects.all()


def test_nobody_is_in_a_scope_to_begin_with() -> None:
    with pytest.raises(OutsideScope):
        current_scope()


def test_each_scope_shows_its_rows_and_no_others(shop: Business, other_shop: Business) -> None:
    ours, theirs = shop.client.pk, other_shop.client.pk
    ground, upper = (floor.pk for floor in shop.floors)
    all_floors = {floor.pk for floor in (*shop.floors, *other_shop.floors)}
    table: list[tuple[Scope, set[int], set[int]]] = [
        (EVERYTHING, {ours, theirs}, all_floors),
        (Scope(client_id=ours), {ours}, {ground, upper}),
        (Scope(client_id=ours, floor_bound=True, floor_id=ground), {ours}, {ground}),
        (Scope(client_id=ours, floor_bound=True, floor_id=other_shop.floors[0].pk), {ours}, set()),
        (Scope(client_id=ours, floor_bound=True), {ours}, set()),
        (Scope(client_id=0), set(), set()),
        (NOTHING, set(), set()),
    ]
    for scope, clients, floors in table:
        with entered(scope):
            assert set(Client.objects.values_list("pk", flat=True)) == clients, scope
            assert set(Floor.objects.values_list("pk", flat=True)) == floors, scope
            devices = {d.pk for b in (shop, other_shop) for d in b.devices if d.floor_id in floors}
            assert set(Device.objects.values_list("pk", flat=True)) == devices, scope


def test_a_floor_user_sees_no_device_that_hangs_on_no_floor(shop: Business, everything: None) -> None:
    Device.objects.filter(pk=shop.devices[0].pk).update(floor=None)
    with entered(scope_of(shop.floor_user)):
        assert not Device.objects.exists()


def test_the_scope_of_each_caller(shop: Business, staff: Any) -> None:
    client = shop.client.pk
    assert scope_of(staff) == EVERYTHING
    assert scope_of(shop.admin) == Scope(client_id=client)
    assert scope_of(shop.floor_user) == Scope(client_id=client, floor_bound=True, floor_id=shop.floors[0].pk)
    shop.admin.client_id = None
    assert scope_of(shop.admin) == NOTHING
    assert scope_of(None) == NOTHING


def test_related_rows_and_writes_obey_too(shop: Business, other_shop: Business) -> None:
    with scope_of_client(other_shop.client.pk):
        assert not Floor.objects.filter(pk=shop.floors[0].pk).exists()
        assert Floor.objects.filter(pk=shop.floors[0].pk).update(name="taken") == 0
        assert Floor.objects.filter(pk=shop.floors[0].pk).delete()[0] == 0
    with system_scope("looking at what is there"):
        assert "taken" not in names(Floor)


def test_scopes_nest_and_are_left_even_by_an_error() -> None:
    def fail_inside() -> None:
        with scope_of_client(2):
            narrow(NOTHING)
            raise LookupError

    with scope_of_client(1):
        with pytest.raises(LookupError):
            fail_inside()
        assert current_scope() == Scope(client_id=1)
    with pytest.raises(OutsideScope):
        current_scope()


def test_a_system_scope_says_why() -> None:
    with pytest.raises(ValueError, match="Say why"), system_scope(""):
        pass
