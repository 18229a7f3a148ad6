"""What two requests at the same moment must not achieve together. Threads against the real database."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from users import sessions
from users.models import User
from users.tests.support import PASSWORD, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_admins_who_remove_each_other(call: Any, shop: Any) -> None:
    second = User.everyone.create_user(
        "second@example.com", "second@example.com", PASSWORD, role="client", client=shop.client
    )
    pairs = [(call(shop.admin), second), (call(second), shop.admin)]

    def removal(client: APIClient, other: User) -> Any:
        return lambda: client.delete(f"/api/users/{other.pk}/").status_code

    # The second one to come is refused as the last admin, or is gone before it signs in.
    assert sorted(at_once(*(removal(*pair) for pair in pairs)))[0] == 204
    assert User.everyone.filter(client=shop.client, role="client", is_active=True).count() == 1


def test_one_refresh_token_used_four_times(call: Any, shop: Any) -> None:
    token = sessions.open_session(shop.admin).refresh

    def use() -> int:
        return int(call().post("/api/auth/refresh/", {"refresh": token}).status_code)

    assert sorted(at_once(use, use, use, use)) == [200, 401, 401, 401]


def test_one_address_registered_four_times(call: Any, db: None) -> None:
    body = {
        "business_name": "Corner",
        "name": "Ada",
        "email": "ada@example.com",
        "password": "correct horse battery",
        "telephone": "1",
    }

    def register() -> int:
        return int(call().post("/api/auth/register/", body).status_code)

    statuses = sorted(at_once(register, register, register, register))
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {400, 409}
    assert User.everyone.count() == 1
