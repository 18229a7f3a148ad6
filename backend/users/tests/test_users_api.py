"""Accounts: who may see, make, change and remove whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from users.models import User
from users.tests.support import PASSWORD, raw_trail, trail
from zones.models import Floor

URL = "/api/users/"
NEW = {
    "role": "client",
    "email": "New@Example.com",
    "password": "another horse battery",
    "name": "Grace Hopper",
}


def url(user: User) -> str:
    """The address of one account."""
    return f"{URL}{user.pk}/"


def extra_admin(shop: Any, number: int = 2) -> User:
    """A further client admin of the business."""
    return User.everyone.create_user(
        f"second{number}@example.com",
        f"second{number}@example.com",
        PASSWORD,
        role="client",
        client=shop.client,
    )


def errors(answer: Any) -> list[tuple[Any, str]]:
    """(field, code) of everything that was wrong."""
    return [(error["field"], error["code"]) for error in answer.data.get("errors", [])]


# (method, on whom, {caller: status})
TABLE = [
    ("get", None, {"nobody": 401, "floor_user": 403, "admin": 200, "staff": 200}),
    ("post", None, {"nobody": 401, "floor_user": 403, "admin": 400, "staff": 400}),
    ("put", None, {"nobody": 405, "floor_user": 405, "admin": 405, "staff": 405}),
    ("options", None, {"nobody": 200, "floor_user": 200, "admin": 200}),
    ("options", "stranger", {"nobody": 200, "floor_user": 200, "admin": 200}),
    ("head", None, {"nobody": 401, "floor_user": 403, "admin": 200}),
    ("get", "colleague", {"nobody": 401, "floor_user": 403, "admin": 200, "staff": 200}),
    ("patch", "colleague", {"nobody": 401, "floor_user": 403, "admin": 200, "staff": 200}),
    ("put", "colleague", {"nobody": 405, "floor_user": 405, "admin": 405, "staff": 405}),
    ("delete", "colleague", {"nobody": 401, "floor_user": 403, "admin": 204, "staff": 204}),
    ("get", "stranger", {"nobody": 401, "floor_user": 403, "admin": 404, "staff": 200}),
    ("patch", "stranger", {"nobody": 401, "floor_user": 403, "admin": 404, "staff": 200}),
    ("delete", "stranger", {"nobody": 401, "floor_user": 403, "admin": 404, "staff": 204}),
    ("get", "staff", {"nobody": 401, "floor_user": 403, "admin": 404, "staff": 200}),
    ("patch", "staff", {"nobody": 401, "floor_user": 403, "admin": 404, "staff": 200}),
    ("delete", "staff", {"nobody": 401, "floor_user": 403, "admin": 404, "staff": 403}),
    ("get", "own", {"floor_user": 403, "admin": 200}),
    ("patch", "own", {"floor_user": 403, "admin": 200}),
    ("delete", "own", {"floor_user": 403, "admin": 403}),
]


@pytest.mark.parametrize(
    ("method", "whom", "who", "status"),
    [(method, whom, who, status) for method, whom, row in TABLE for who, status in row.items()],
)
def test_who_may(
    method: str, whom: str | None, who: str, status: int, call: Any, shop: Any, other_shop: Any, staff: User
) -> None:
    callers = {"nobody": None, "floor_user": shop.floor_user, "admin": shop.admin, "staff": staff}
    people = {
        "colleague": extra_admin(shop),
        "stranger": other_shop.floor_user,
        "staff": staff,
        "own": callers[who],
    }
    target = URL if whom is None else url(people[whom])
    answer = getattr(call(callers[who]), method)(target, {} if method == "post" else {"phone": "1"})
    assert answer.status_code == status, answer.data
    if status >= 400:
        assert answer["Content-Type"] == "application/problem+json"


def test_what_is_no_id_leads_nowhere(call: Any, shop: Any) -> None:
    for odd in ("abc", "0", "-1", str(10**30)):
        assert call(shop.admin).get(f"{URL}{odd}/").status_code == 404


def test_an_account_as_its_admin_sees_it(call: Any, shop: Any) -> None:
    user = shop.floor_user
    assert call(shop.admin).get(url(user)).json() == {
        "id": user.pk,
        "client": shop.client.pk,
        "client_name": "Our shop",
        "floor": shop.floors[0].pk,
        "floor_name": "Ground",
        "role": "floor_user",
        "email": user.email,
        "username": user.username,
        "name": "",
        "first_name": "",
        "last_name": "",
        "phone": "",
        "avatar": None,
        "is_active": True,
        "status": "active",
        "last_login": None,
        "date_joined": user.date_joined.isoformat().replace("+00:00", "Z"),
    }


# --- lists -------------------------------------------------------------------------------------------------


def emails(answer: Any) -> set[str]:
    """The addresses on a page."""
    return {row["email"] for row in answer.json()["results"]}


def test_exactly_ones_own_people(call: Any, shop: Any, other_shop: Any, staff: User) -> None:
    own = {shop.admin.email, shop.floor_user.email}
    others = {other_shop.admin.email, other_shop.floor_user.email}
    assert emails(call(shop.admin).get(URL)) == own
    assert emails(call(staff).get(URL)) == own | others | {staff.email}
    assert emails(call(staff).get(URL, {"client": other_shop.client.pk})) == others
    assert emails(call(shop.admin).get(URL, {"client": other_shop.client.pk})) == set()


def test_filters_search_and_order(call: Any, shop: Any, other_shop: Any) -> None:
    admin, floor_user = shop.admin, shop.floor_user
    User.everyone.filter(pk=floor_user.pk).update(first_name="Grace", is_active=False)
    off_duty = {floor_user.email}
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"role": "floor_user"}, off_duty),
        ({"role": "admin"}, set()),
        ({"floor": shop.floors[0].pk}, off_duty),
        ({"floor": shop.floors[1].pk}, set()),
        ({"floor": other_shop.floors[0].pk}, set()),
        ({"is_active": "false"}, off_duty),
        ({"is_active": "true"}, {admin.email}),
        ({"search": "grac"}, off_duty),
        ({"search": admin.email[:9]}, {admin.email}),
        ({"search": "nobody at all"}, set()),
    ]
    for query, expected in cases:
        answer = call(admin).get(URL, query)
        assert emails(answer) == expected, query
        assert answer.json()["count"] == len(expected)
    for order in ("email", "-email", "role", "-date_joined"):
        rows = call(admin).get(URL, {"ordering": order}).json()["results"]
        name = order.lstrip("-")
        assert [row[name] for row in rows] == sorted([row[name] for row in rows], reverse=order[0] == "-")


@pytest.mark.parametrize("query", [{"role": "boss"}, {"floor": "abc"}, {"client": "x"}])
def test_filters_that_make_no_sense(query: Any, call: Any, shop: Any) -> None:
    answer = call(shop.admin).get(URL, query)
    assert (answer.status_code, errors(answer)[0][0]) == (400, next(iter(query)))


def test_a_list_costs_the_same_for_one_and_twenty(call: Any, shop: Any) -> None:
    costs = []
    for more in (0, 20):
        User.everyone.bulk_create(
            User(
                username=f"u{n}@x.com",
                email=f"u{n}@x.com",
                role="floor_user",
                client=shop.client,
                floor=shop.floors[0],
            )
            for n in range(more)
        )
        with CaptureQueriesContext(connection) as queries:
            assert len(call(shop.admin).get(URL).json()["results"]) == 2 + more
        costs.append(len(queries))
    assert costs[0] == costs[1]


# --- making ------------------------------------------------------------------------------------------------


def test_a_new_colleague(call: Any, shop: Any) -> None:
    answer = call(shop.admin).post(URL, NEW)
    assert answer.status_code == 201, answer.data
    assert "password" not in answer.data
    user = User.everyone.get(pk=answer.data["id"])
    assert (user.email, user.username, user.client, user.role) == (
        "new@example.com",
        "new@example.com",
        shop.client,
        "client",
    )
    assert (user.first_name, user.last_name) == ("Grace", "Hopper")
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
    login = call().post("/api/auth/login/", {"email": NEW["email"], "password": NEW["password"]})
    assert login.status_code == 200
    (entry,) = trail("create")[-1:]
    assert (entry.resource, entry.resource_id, entry.client_id, entry.actor) == (
        "user",
        str(user.pk),
        shop.client.pk,
        shop.admin.username,
    )
    assert NEW["password"] not in raw_trail()
    assert user.password not in raw_trail()


def test_staff_make_staff(call: Any, staff: User) -> None:
    answer = call(staff).post(URL, NEW | {"role": "admin"})
    assert (answer.status_code, answer.data["client"], answer.data["client_name"]) == (201, None, None)
    user = User.everyone.get(pk=answer.data["id"])
    assert (user.is_staff, user.is_superuser) == (True, True)


@pytest.mark.parametrize(
    ("who", "body", "status", "expected"),
    [
        ("admin", {"role": "floor_user", "floor": "own"}, 201, []),
        ("admin", {"role": "floor_user"}, 400, [("floor", "required")]),
        ("admin", {"role": "floor_user", "floor": None}, 400, [("floor", "required")]),
        ("admin", {"role": "floor_user", "floor": "other"}, 400, [("floor", "does_not_exist")]),
        ("admin", {"role": "floor_user", "floor": 10**30}, 400, [("floor", "does_not_exist")]),
        ("admin", {"role": "client", "floor": "own"}, 400, [("floor", "floor_not_allowed")]),
        ("admin", {"role": "admin"}, 403, [("role", "permission_denied")]),
        ("admin", {"role": "admin", "client": "own"}, 403, [("role", "permission_denied")]),
        ("admin", {"role": "boss"}, 400, [("role", "invalid_choice")]),
        ("admin", {"role": None}, 400, [("role", "null")]),
        ("admin", {"client": "own"}, 201, []),
        ("admin", {"client": "other"}, 400, [("client", "does_not_exist")]),
        ("admin", {"email": "USED"}, 400, [("email", "unique")]),
        ("admin", {"email": "ROOT@LOCALHOST"}, 400, [("email", "invalid")]),
        ("admin", {"email": "o'brien+till@example.com"}, 201, []),
        ("admin", {"password": "short"}, 400, [("password", "password_too_short")]),
        ("admin", {"password": "new@example.com"}, 400, [("password", "password_too_similar")]),
        ("admin", {"phone": "1" * 21}, 400, [("phone", "max_length")]),
        ("staff", {}, 400, [("client", "required")]),
        ("staff", {"client": "other"}, 201, []),
        ("staff", {"client": "own", "role": "floor_user", "floor": "own"}, 201, []),
        (
            "staff",
            {"client": "own", "role": "floor_user", "floor": "other"},
            400,
            [("floor", "other_client")],
        ),
        ("staff", {"client": "own", "role": "admin"}, 400, [("client", "client_role")]),
        ("staff", {"role": "admin", "floor": "own"}, 400, [("floor", "other_client")]),
    ],
)
def test_what_may_be_made(
    who: str, body: Any, status: int, expected: Any, call: Any, shop: Any, other_shop: Any, staff: User
) -> None:
    places = {
        ("client", "own"): shop.client.pk,
        ("client", "other"): other_shop.client.pk,
        ("floor", "own"): shop.floors[1].pk,
        ("floor", "other"): other_shop.floors[0].pk,
        ("email", "USED"): other_shop.admin.email.upper(),
    }
    body = {name: places.get((name, value), value) for name, value in body.items()}
    before = User.everyone.count()
    answer = call(shop.admin if who == "admin" else staff).post(URL, NEW | body)
    assert (answer.status_code, errors(answer)) == (status, expected), answer.data
    assert User.everyone.count() == before + (status == 201)


@pytest.mark.parametrize("field", ["role", "email"])
def test_what_a_new_account_needs(field: str, call: Any, shop: Any) -> None:
    body = {name: value for name, value in NEW.items() if name != field}
    assert errors(call(shop.admin).post(URL, body)) == [(field, "required")]


# --- changing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"name": "Grace Hopper"}, 200, []),
        ({"email": "Other@Example.com"}, 200, []),
        ({"email": "USED"}, 400, [("email", "unique")]),
        ({"floor": "upper"}, 200, []),
        ({"floor": None}, 400, [("floor", "required")]),
        ({"floor": "other"}, 400, [("floor", "does_not_exist")]),
        ({"role": "client"}, 200, []),
        ({"role": "client", "floor": "upper"}, 400, [("floor", "floor_not_allowed")]),
        ({"role": "admin"}, 403, [("role", "permission_denied")]),
        ({"client": "other"}, 400, [("client", "does_not_exist")]),
        ({"is_active": False}, 200, []),
        ({"password": "short"}, 400, [("password", "password_too_short")]),
    ],
)
def test_changes_of_a_floor_user(
    body: Any, status: int, expected: Any, call: Any, shop: Any, other_shop: Any
) -> None:
    places = {
        ("client", "other"): other_shop.client.pk,
        ("floor", "upper"): shop.floors[1].pk,
        ("floor", "other"): other_shop.floors[0].pk,
        ("email", "USED"): shop.admin.email.upper(),
    }
    body = {name: places.get((name, value), value) for name, value in body.items()}
    before = User.everyone.values().get(pk=shop.floor_user.pk)
    answer = call(shop.admin).patch(url(shop.floor_user), body)
    assert (answer.status_code, errors(answer)) == (status, expected), answer.data
    if status != 200:
        assert User.everyone.values().get(pk=shop.floor_user.pk) == before


def test_one_who_becomes_an_admin_leaves_the_floor_and_back_needs_one(call: Any, shop: Any) -> None:
    person = url(shop.floor_user)
    risen = call(shop.admin).patch(person, {"role": "client"})
    assert (risen.status_code, risen.data["floor"]) == (200, None)
    assert errors(call(shop.admin).patch(person, {"role": "floor_user"})) == [("floor", "required")]
    back = call(shop.admin).patch(person, {"role": "floor_user", "floor": shop.floors[1].pk})
    assert (back.status_code, back.data["floor"]) == (200, shop.floors[1].pk)


def test_a_floor_user_whose_floor_is_gone_may_still_be_changed(call: Any, shop: Any) -> None:
    Floor._base_manager.filter(pk=shop.floors[0].pk).delete()
    answer = call(shop.admin).patch(url(shop.floor_user), {"phone": "1"})
    assert (answer.status_code, answer.data["floor"]) == (200, None)


def test_a_new_address_is_the_new_sign_in(call: Any, shop: Any) -> None:
    answer = call(shop.admin).patch(url(shop.floor_user), {"email": "Till@Example.com"})
    assert (answer.data["email"], answer.data["username"]) == ("till@example.com",) * 2


def test_an_admin_sets_anothers_password_and_ends_their_sessions(call: Any, shop: Any) -> None:
    theirs = call(shop.floor_user)
    answer = call(shop.admin).patch(url(shop.floor_user), {"password": "another horse battery"})
    assert answer.status_code == 200
    assert theirs.get("/api/auth/me/").status_code == 401
    shop.floor_user.refresh_from_db()
    assert shop.floor_user.check_password("another horse battery")
    (entry,) = trail("update")
    assert entry.details == {"before": {"password": "…"}, "after": {"password": "…"}}


def test_what_ends_no_session(call: Any, shop: Any) -> None:
    tokens = call().post("/api/auth/login/", {"email": shop.floor_user.email, "password": PASSWORD}).data
    body = {"name": "Grace Hopper", "role": "floor_user", "floor": shop.floors[0].pk, "is_active": True}
    assert call(shop.admin).patch(url(shop.floor_user), body).status_code == 200
    assert call().post("/api/auth/refresh/", {"refresh": tokens["refresh"]}).status_code == 200


def test_a_new_session_after_a_change_holds(call: Any, shop: Any) -> None:
    call(shop.admin).patch(url(shop.floor_user), {"floor": shop.floors[1].pk})
    tokens = call().post("/api/auth/login/", {"email": shop.floor_user.email, "password": PASSWORD}).data
    again = call().post("/api/auth/refresh/", {"refresh": tokens["refresh"]})
    theirs = call()
    theirs.credentials(HTTP_AUTHORIZATION=f"Bearer {again.data['access']}")
    assert theirs.get("/api/auth/me/").status_code == 200


def test_staff_switched_off_and_on_again_are_out_of_djangos_admin(
    call: Any, client: Any, staff: User
) -> None:
    other = User.everyone.create_superuser("root", "root@example.com", PASSWORD)
    client.force_login(other)
    assert client.get("/admin/").status_code == 200
    for active in (False, True):
        assert call(staff).patch(url(other), {"is_active": active}).status_code == 200
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("who", ["admin", "staff"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "floor_user"}, "role"),
        ({"is_active": False}, "is_active"),
        ({"password": "another horse battery"}, "password"),
    ],
)
def test_what_nobody_does_to_themselves(
    who: str, body: Any, field: str, call: Any, shop: Any, staff: User
) -> None:
    extra_admin(shop)
    caller = shop.admin if who == "admin" else staff
    before = User.everyone.values().get(pk=caller.pk)
    answer = call(caller).patch(url(caller), body)
    assert (answer.status_code, answer.data["code"], errors(answer)) == (
        403,
        "own_account",
        [(field, "own_account")],
    )
    deleted = call(caller).delete(url(caller))
    assert (deleted.status_code, deleted.data["code"]) == (403, "own_account")
    assert User.everyone.values().get(pk=caller.pk) == before


def test_naming_what_is_already_so_is_no_change_to_oneself(call: Any, shop: Any) -> None:
    body = {"role": "client", "is_active": True, "floor": None, "client": shop.client.pk, "phone": "1"}
    assert call(shop.admin).patch(url(shop.admin), body).status_code == 200


def test_staff_stay_staff_and_clients_stay_clients(call: Any, shop: Any, staff: User) -> None:
    other_staff = User.everyone.create_superuser("root", "root@example.com", PASSWORD)
    for person, role in ((shop.admin, "admin"), (other_staff, "client")):
        extra_admin(shop, person.pk)
        answer = call(staff).patch(url(person), {"role": role})
        assert (answer.status_code, errors(answer)) == (400, [("role", "role_fixed")])


# --- the last admin ----------------------------------------------------------------------------------------

REMOVALS = [
    ("delete", {}),
    ("patch", {"is_active": False}),
    ("patch", {"role": "floor_user", "floor": "upper"}),
]


@pytest.mark.parametrize(("method", "body"), REMOVALS)
@pytest.mark.parametrize("other", ["none", "switched off", "floor user", "of another business", "admin"])
def test_a_business_keeps_an_admin(
    method: str, body: Any, other: str, call: Any, shop: Any, other_shop: Any, staff: User
) -> None:
    if other in {"switched off", "admin"}:
        second = extra_admin(shop)
        User.everyone.filter(pk=second.pk).update(is_active=other == "admin")
    body = body | ({"floor": shop.floors[1].pk} if "floor" in body else {})
    answer = getattr(call(staff), method)(url(shop.admin), body)
    if other == "admin":
        assert answer.status_code in {200, 204}
    else:
        assert (answer.status_code, answer.data["code"]) == (409, "last_admin")
        shop.admin.refresh_from_db()
        assert (shop.admin.is_active, shop.admin.role) == (True, "client")


def test_one_who_is_switched_off_is_not_the_last_admin(call: Any, shop: Any, staff: User) -> None:
    User.everyone.filter(pk=shop.admin.pk).update(is_active=False)
    assert call(staff).delete(url(shop.admin)).status_code == 204


# --- removing ----------------------------------------------------------------------------------------------


def test_what_a_person_made_stays(call: Any, shop: Any) -> None:
    second = extra_admin(shop)
    Floor._base_manager.filter(pk=shop.floors[0].pk).update(created_by=second)
    call(second).patch(url(shop.floor_user), {"phone": "1"})
    answer = call(shop.admin).delete(url(second))
    assert (answer.status_code, answer.content) == (204, b"")
    assert not User.everyone.filter(pk=second.pk).exists()
    assert Floor._base_manager.get(pk=shop.floors[0].pk).created_by is None
    (change,) = trail("update")
    assert change.actor == second.username
    (removal,) = trail("delete")
    assert (removal.resource, removal.resource_id, removal.client_id, removal.actor) == (
        "user",
        str(second.pk),
        shop.client.pk,
        shop.admin.username,
    )
    assert removal.details["before"]["password"] == "…"


def test_a_locked_business_changes_nobody(call: Any, shop: Any) -> None:
    Client._base_manager.filter(pk=shop.client.pk).update(status="suspended")
    caller = call(shop.admin)
    assert caller.get(URL).status_code == 200
    for answer in (
        caller.post(URL, NEW),
        caller.patch(url(shop.floor_user), {"phone": "1"}),
        caller.delete(url(shop.floor_user)),
    ):
        assert (answer.status_code, answer.data["code"]) == (403, "client_suspended")
