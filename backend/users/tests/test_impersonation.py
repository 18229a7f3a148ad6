"""Staff in a client admin's name: what they get, what they never get, what ends it, and what is on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from audit.models import AuditLog
from clients.deletion import request_deletion
from common import clock
from common.errors import Refusal
from common.permissions import ADMIN, CLIENT
from common.tenancy import system_scope
from conftest import PASSWORD, Business, make_user
from users import sessions
from users.authentication import BearerAuthentication
from users.models import User
from users.services import update_user
from users.tests.support import trail

ME = "/api/auth/me/"
REASON = "Ticket 4711: no music"


def url(business: Business) -> str:
    return f"/api/clients/{business.client.pk}/impersonate/"


def bearer(token: Any) -> APIClient:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return api


@pytest.fixture
def lent(call: Any, staff: User, shop: Business) -> dict[str, Any]:
    """What staff got to act as the shop's admin."""
    answer = call(staff).post(url(shop), {"reason": REASON})
    assert answer.status_code == 200, answer.json()
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def borrowed(lent: dict[str, Any]) -> APIClient:
    """Staff in the name of the shop's admin."""
    return bearer(lent["access"])


# --- what they get ---------------------------------------------------------------------------------------


def test_it_is_an_access_token_for_a_quarter_of_an_hour(
    lent: dict[str, Any], borrowed: APIClient, staff: User, shop: Business
) -> None:
    assert set(lent) == {"access", "expires_at", "user"}
    until = parse_datetime(lent["expires_at"])
    assert until is not None
    assert timedelta(minutes=14) < until - clock.now() <= timedelta(minutes=15)
    me = borrowed.get(ME).json()
    assert (me["id"], me["role"], me["client"]["id"]) == (shop.admin.pk, CLIENT, shop.client.pk)
    by = {"id": staff.pk, "name": staff.name, "email": staff.email}
    assert me["impersonation"] == {"by": by, "until": lent["expires_at"]}


def test_who_acts_for_themselves_is_told_so(call: Any, staff: User, shop: Business) -> None:
    for person in (staff, shop.admin, shop.floor_user):
        assert call(person).get(ME).json()["impersonation"] is None


def test_it_works_as_that_admin(borrowed: APIClient, shop: Business, other_shop: Business) -> None:
    made = borrowed.post("/api/floors/", {"name": "Roof"})
    assert (made.status_code, made.json()["client"]) == (201, shop.client.pk)
    assert {row["client"] for row in borrowed.get("/api/floors/").json()["results"]} == {shop.client.pk}
    assert borrowed.get(f"/api/floors/{other_shop.floors[0].pk}/").status_code == 404


def test_the_oldest_active_admin_is_taken_unless_one_is_named(call: Any, staff: User, shop: Business) -> None:
    second = make_user(CLIENT, shop.client)
    named = call(staff).post(url(shop), {"reason": REASON, "user": second.pk})
    assert named.json()["user"]["id"] == second.pk
    User.everyone.filter(pk=shop.admin.pk).update(is_active=False)
    assert call(staff).post(url(shop), {"reason": REASON}).json()["user"]["id"] == second.pk


@pytest.mark.parametrize("whom", ["floor user", "another's admin", "staff", "switched off", "nobody"])
def test_nobody_else_s_identity_is_lent(
    call: Any, staff: User, shop: Business, other_shop: Business, whom: str
) -> None:
    pks = {
        "floor user": shop.floor_user.pk,
        "another's admin": other_shop.admin.pk,
        "staff": make_user(ADMIN).pk,
        "switched off": make_user(CLIENT, shop.client, is_active=False).pk,
        "nobody": 10**6,
    }
    answer = call(staff).post(url(shop), {"reason": REASON, "user": pks[whom]})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "user"


def test_a_business_without_an_admin(call: Any, staff: User, shop: Business) -> None:
    User.everyone.filter(pk=shop.admin.pk).update(is_active=False)
    answer = call(staff).post(url(shop), {"reason": REASON})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_admin")


@pytest.mark.parametrize("reason", [None, "", "   ", "why", "x" * 501])
def test_a_reason_is_required(call: Any, staff: User, shop: Business, reason: Any) -> None:
    answer = call(staff).post(url(shop), {} if reason is None else {"reason": reason})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "reason")
    assert trail("impersonate") == []


# --- what they never get ---------------------------------------------------------------------------------


def test_it_is_not_chained_and_reaches_nothing_of_staff(
    borrowed: APIClient, shop: Business, other_shop: Business
) -> None:
    for method, path in (
        ("post", url(shop)),
        ("post", url(other_shop)),
        ("get", "/api/clients/"),
        ("post", "/api/clients/"),
        ("get", f"/api/clients/{shop.client.pk}/"),
        ("patch", f"/api/clients/{shop.client.pk}/"),
        ("delete", f"/api/clients/{shop.client.pk}/"),
        ("get", "/api/ai-providers/"),
    ):
        answer = getattr(borrowed, method)(path, {"reason": REASON})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), path


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", ME, {"current_password": PASSWORD, "password": "another horse battery"}),
        ("patch", ME, {"current_password": PASSWORD, "email": "mine@example.com"}),
        ("patch", ME, {"first_name": "Staff"}),
        ("put", "/api/auth/me/avatar/", {}),
        ("delete", "/api/auth/me/avatar/", {}),
        ("post", "/api/auth/logout/", {"refresh": "{refresh}"}),
        ("patch", "/api/users/{admin}/", {"email": "mine@example.com"}),
        ("patch", "/api/users/{floor_user}/", {"email": "mine@example.com"}),
        ("patch", "/api/users/{floor_user}/", {"password": "another horse battery"}),
        (
            "post",
            "/api/users/",
            {"role": "client", "email": "m@example.com", "password": "another horse battery"},
        ),
    ],
)
def test_nothing_that_outlives_the_loan(
    borrowed: APIClient, shop: Business, method: str, path: str, body: dict[str, str]
) -> None:
    refresh = str(RefreshToken.for_user(shop.admin))
    before = list(User.everyone.order_by("pk").values())
    places = {"admin": shop.admin.pk, "floor_user": shop.floor_user.pk}
    filled = {name: refresh if value == "{refresh}" else value for name, value in body.items()}
    as_form = {"format": "multipart"} if method == "put" else {"format": "json"}
    answer = getattr(borrowed, method)(path.format_map(places), filled, **as_form)
    assert (answer.status_code, answer.json()["code"]) == (403, "impersonating")
    assert list(User.everyone.order_by("pk").values()) == before
    assert APIClient().post("/api/auth/refresh/", {"refresh": refresh}).status_code == 200


def test_the_rest_of_an_account_is_changed_as_ever(borrowed: APIClient, shop: Business) -> None:
    same = {"email": shop.floor_user.email.upper(), "first_name": "New"}
    answer = borrowed.patch(f"/api/users/{shop.floor_user.pk}/", same)
    assert (answer.status_code, answer.json()["first_name"]) == (200, "New")


def test_no_refresh_token_is_made_of_it(lent: dict[str, Any], shop: Business) -> None:
    answer = APIClient().post("/api/auth/refresh/", {"refresh": lent["access"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    person = BearerAuthentication().get_user(AccessToken(lent["access"]))
    with pytest.raises(Refusal) as refused:
        sessions.open_session(person)
    assert refused.value.code == "impersonating"


# --- what ends it ----------------------------------------------------------------------------------------


def test_time_ends_it(call: Any, staff: User, shop: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    then = clock.now() - timedelta(minutes=15, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: then)
    access = call(staff).post(url(shop), {"reason": REASON}).json()["access"]
    monkeypatch.undo()
    assert bearer(access).get(ME).status_code == 401


ENDS = {
    "staff switched off": lambda staff, shop: update(staff, is_active=False),
    "staff no more": lambda staff, shop: update(staff, role=CLIENT, client=shop.client),
    "staff's account gone": lambda staff, shop: staff.delete(),
    "staff's sessions ended": lambda staff, shop: update(staff, session_generation=1),
    "staff's new password": lambda staff, shop: new_password(staff),
    "the admin switched off": lambda staff, shop: update(shop.admin, is_active=False),
    "the admin's role": lambda staff, shop: demote(shop, staff),
    "the admin's role, behind the services' back": lambda staff, shop: update(
        shop.admin, role="floor_user", floor=shop.floors[0]
    ),
    "the admin's new password": lambda staff, shop: new_password(shop.admin),
    "the business is being deleted": lambda staff, shop: request_deletion(
        client=shop.client, now=clock.now()
    ),
    "the business is gone": lambda staff, shop: shop.client.delete(),
}


def update(person: User, **values: Any) -> None:
    User.everyone.filter(pk=person.pk).update(**values)


def new_password(person: User) -> None:
    person.set_password("another horse battery")
    person.save()


def demote(shop: Business, staff: User) -> None:
    make_user(CLIENT, shop.client)
    update_user(user=shop.admin, by=staff, role="floor_user", floor=shop.floors[0])


@pytest.mark.parametrize("how", ENDS)
def test_it_ends_with_either_of_the_two_and_the_business(
    borrowed: APIClient, staff: User, shop: Business, how: str
) -> None:
    assert borrowed.get(ME).status_code == 200
    with system_scope("the test ends it"):
        ENDS[how](staff, shop)
    answer = borrowed.get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_a_business_that_is_being_deleted_lends_nobody(call: Any, staff: User, shop: Business) -> None:
    call(staff).delete(f"/api/clients/{shop.client.pk}/")
    answer = call(staff).post(url(shop), {"reason": REASON})
    assert (answer.status_code, answer.json()["code"]) == (403, "client_deleting")


def test_a_locked_business_stays_locked(borrowed: APIClient, shop: Business) -> None:
    type(shop.client)._base_manager.filter(pk=shop.client.pk).update(status="suspended")
    assert borrowed.get("/api/floors/").status_code == 200
    answer = borrowed.post("/api/floors/", {"name": "Roof"})
    assert (answer.status_code, answer.json()["code"]) == (403, "client_suspended")


# --- what is on record -----------------------------------------------------------------------------------


def test_the_reason_and_every_act_are_on_record_under_both_names(
    borrowed: APIClient, staff: User, shop: Business, everything: None
) -> None:
    start = AuditLog.objects.get(action="impersonate")
    assert (start.user_id, start.real_user_id, start.client_id) == (staff.pk, None, shop.client.pk)
    assert REASON in start.details
    assert start.resource_id == str(shop.admin.pk)
    borrowed.post("/api/floors/", {"name": "Roof"})
    borrowed.post(f"/api/devices/{shop.devices[0].pk}/volume/", {"volume": 20})
    acts = AuditLog.objects.filter(pk__gt=start.pk)
    assert {act.action for act in acts} >= {"create"}
    for act in acts:
        assert (act.user_id, act.actor_name) == (shop.admin.pk, shop.admin.username)
        assert (act.real_user_id, act.real_actor_name) == (staff.pk, staff.username)
