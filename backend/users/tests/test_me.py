"""One's own profile: what it shows, what may be changed, and what a new password ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clients.models import Client
from common import clock, throttling
from common.permissions import capabilities_of
from users.models import User
from users.tests.support import PASSWORD, raw_trail, trail

ME = "/api/auth/me/"
NEW = "another horse battery"
MOVED = {"email": "New@Example.com", "current_password": PASSWORD}


def lock(client: Client, **fields: Any) -> None:
    """Shuts the business."""
    Client._base_manager.filter(pk=client.pk).update(**fields)


def test_what_a_client_admin_sees(call: Any, shop: Any, other_shop: Any) -> None:
    answer = call(shop.admin).get(ME)
    assert answer.status_code == 200
    me = answer.json()
    assert me["client"] == {
        "id": shop.client.pk,
        "name": "Our shop",
        "business_name": "Our shop",
        "status": "active",
        "trial_ends_at": shop.client.trial_ends_at.isoformat().replace("+00:00", "Z"),
        "timezone": "UTC",
        "ai_credits": 100,
        "lock": None,
        "floors_allowed": 5,
        "floors_used": 2,
    }
    assert me["floor"] is None
    assert me["role"] == "client"
    assert me["capabilities"] == capabilities_of("client")
    assert "password" not in me


def test_what_a_floor_user_sees(call: Any, shop: Any) -> None:
    me = call(shop.floor_user).get(ME).json()
    assert me["floor"] == {"id": shop.floors[0].pk, "name": "Ground"}
    assert me["client"]["floors_used"] == 2
    assert me["capabilities"] == capabilities_of("floor_user")


def test_what_staff_see(call: Any, staff: User) -> None:
    me = call(staff).get(ME).json()
    assert (me["client"], me["floor"], me["capabilities"]) == (None, None, capabilities_of("admin"))


@pytest.mark.parametrize(
    ("status", "ends", "code"),
    [
        ("trial", timedelta(days=1), None),
        ("trial", timedelta(days=-1), "trial_ended"),
        ("suspended", timedelta(days=1), "client_suspended"),
    ],
)
def test_the_lock_is_told(status: str, ends: timedelta, code: str | None, call: Any, shop: Any) -> None:
    lock(shop.client, status=status, trial_ends_at=clock.now() + ends)
    told = call(shop.admin).get(ME).json()["client"]["lock"]
    assert (told["code"] if told else None) == code


def test_nobody_is_nobody(call: Any, db: None) -> None:
    for answer in (call().get(ME), call().patch(ME, {"phone": "1"})):
        assert (answer.status_code, answer.data["code"]) == (401, "not_authenticated")


def test_head_is_get_without_a_body(call: Any, shop: Any) -> None:
    assert call(shop.admin).head(ME).status_code == 200
    assert call().head(ME).status_code == 401


def test_the_profile_may_be_changed(call: Any, shop: Any) -> None:
    answer = call(shop.floor_user).patch(ME, {"name": "Grace Hopper", "phone": "+1 555"})
    assert answer.status_code == 200
    assert (answer.data["name"], answer.data["first_name"], answer.data["last_name"]) == (
        "Grace Hopper",
        "Grace",
        "Hopper",
    )
    assert "access" not in answer.data
    assert call(shop.floor_user).patch(ME, {"last_name": "Murray"}).data["name"] == "Grace Murray"
    (first, second) = trail("update")
    assert first.details["after"] == {"first_name": "Grace", "last_name": "Hopper", "phone": "+1 555"}
    assert second.details == {"before": {"last_name": "Hopper"}, "after": {"last_name": "Murray"}}
    assert first.actor == shop.floor_user.username


@pytest.mark.parametrize(
    "field", ["role", "client", "floor", "is_active", "is_staff", "is_superuser", "username"]
)
def test_what_is_not_ones_own_to_change_is_ignored(field: str, call: Any, shop: Any) -> None:
    before = User.everyone.values().get(pk=shop.floor_user.pk)
    answer = call(shop.floor_user).patch(ME, {field: "admin"})
    assert answer.status_code == 200
    assert User.everyone.values().get(pk=shop.floor_user.pk) == before


def test_a_new_address_is_the_new_sign_in(call: Any, shop: Any) -> None:
    assert call(shop.admin).patch(ME, MOVED).data["email"] == "new@example.com"
    shop.admin.refresh_from_db()
    assert shop.admin.username == "new@example.com"


def test_a_username_that_is_no_address_stays(call: Any, staff: User) -> None:
    User.everyone.filter(pk=staff.pk).update(username="root")
    assert call(staff).patch(ME, MOVED).status_code == 200
    staff.refresh_from_db()
    assert (staff.username, staff.email) == ("root", "new@example.com")


def test_a_used_address_is_refused(call: Any, shop: Any, other_shop: Any) -> None:
    answer = call(shop.admin).patch(ME, MOVED | {"email": other_shop.admin.email.upper()})
    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.data["errors"]] == [("email", "unique")]


def test_a_new_password_ends_every_session_but_the_one_it_opens(call: Any, shop: Any) -> None:
    old = call(shop.admin)
    refresh = (
        call().post("/api/auth/login/", {"email": shop.admin.email, "password": PASSWORD}).data["refresh"]
    )
    answer = old.patch(ME, {"current_password": PASSWORD, "password": NEW})
    assert answer.status_code == 200
    assert answer.data["id"] == shop.admin.pk
    assert old.get(ME).status_code == 401
    assert call().post("/api/auth/refresh/", {"refresh": refresh}).status_code == 401
    fresh = call()
    fresh.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.data['access']}")
    assert fresh.get(ME).status_code == 200
    assert call().post("/api/auth/refresh/", {"refresh": answer.data["refresh"]}).status_code == 200
    (entry,) = trail("update")
    assert entry.details == {"before": {"password": "…"}, "after": {"password": "…"}}
    assert NEW not in raw_trail()


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"password": NEW}, 400, "required", "current_password"),
        ({"password": NEW, "current_password": "wrong horse"}, 400, "wrong_password", "current_password"),
        ({"email": "new@example.com"}, 400, "required", "current_password"),
        (
            {"email": "new@example.com", "current_password": "wrong"},
            400,
            "wrong_password",
            "current_password",
        ),
        ({"password": "short", "current_password": PASSWORD}, 400, "password_too_short", "password"),
        ({"password": "", "current_password": PASSWORD}, 400, "blank", "password"),
    ],
)
def test_what_is_refused_without_the_current_password(
    body: Any, status: int, code: str, field: str, call: Any, shop: Any
) -> None:
    answer = call(shop.admin).patch(ME, body)
    assert answer.status_code == status
    assert (field, code) in [(error["field"], error["code"]) for error in answer.data["errors"]]
    shop.admin.refresh_from_db()
    assert shop.admin.check_password(PASSWORD)
    assert shop.admin.email != "new@example.com"
    assert call(shop.admin).get(ME).status_code == 200


def test_the_address_one_has_needs_no_password(call: Any, shop: Any) -> None:
    assert call(shop.admin).patch(ME, {"email": shop.admin.email.upper(), "phone": "1"}).status_code == 200


def test_another_address_ends_no_session(call: Any, shop: Any) -> None:
    mine = call(shop.admin)
    assert "access" not in mine.patch(ME, MOVED).data
    assert mine.get(ME).status_code == 200


def test_guesses_of_the_current_password_are_limited(
    call: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(throttling.LIMITS, "password.user", throttling.Limit(2, 900))
    guesses = ["wrong one", "wrong two", PASSWORD]
    answers = [call(shop.admin).patch(ME, {"current_password": guess, "password": NEW}) for guess in guesses]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    other = call(shop.floor_user).patch(ME, {"current_password": PASSWORD, "password": NEW})
    assert other.status_code == 200


def test_ones_own_account_is_not_locked_with_the_business(call: Any, shop: Any) -> None:
    lock(shop.client, status="suspended")
    assert call(shop.admin).patch(ME, {"phone": "+1"}).status_code == 200
    changed = call(shop.admin).patch(ME, {"current_password": PASSWORD, "password": NEW})
    assert changed.status_code == 200
