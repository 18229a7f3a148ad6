"""Two requests at the same moment cannot take the plan's last floor twice."""

from __future__ import annotations

from typing import Any

import pytest

from clients.models import Client
from users.tests.support import at_once
from zones.models import Floor


@pytest.mark.django_db(transaction=True)
def test_the_last_floor_of_the_plan(call: Any, shop: Any) -> None:
    Client._base_manager.filter(pk=shop.client.pk).update(max_floors=3)
    callers = [call(shop.admin) for _ in range(4)]

    def make(number: int) -> Any:
        return lambda: callers[number].post("/api/floors/", {"name": f"Floor {number}"}).status_code

    assert sorted(at_once(*(make(number) for number in range(4)))) == [201, 403, 403, 403]
    assert Floor._base_manager.filter(client=shop.client).count() == 3
