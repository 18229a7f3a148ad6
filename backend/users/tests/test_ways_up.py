"""Every way up that somebody may try: tried on every route that writes people, and refused.

Nobody gets a role, a flag, a business or a floor by what they put into a body; nobody acts with a token whose right has
ended. Impersonation has its own tests.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from PIL import Image

from clients.models import Client
from common import clock, throttling
from users import links
from users.models import User
from users.tests.support import PASSWORD, trail

pytestmark = pytest.mark.django_db

NEW = "another horse battery"


@dataclass
class World:
    """Who is there to be misused: our people, another business, staff, and somebody with an open invitation."""

    shop: Any
    other: Any
    staff: User
    guest: User
    group: Group


@pytest.fixture
def world(shop: Any, other_shop: Any, staff: User, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in throttling.LIMITS:
        monkeypatch.setitem(throttling.LIMITS, name, throttling.Limit(10_000, 900))
    group = Group.objects.create(name="everything")
    group.permissions.set(Permission.objects.all()[:3])
    guest = User.everyone.create_user(
        "guest@example.com", "guest@example.com", role="floor_user", client=shop.client, floor=shop.floors[0]
    )
    return World(shop, other_shop, staff, guest, group)


# --- what a body may carry ---------------------------------------------------------------------------------

EXTRAS: dict[str, Callable[[World], dict[str, Any]]] = {
    "role": lambda world: {"role": "admin"},
    "role in capitals": lambda world: {"Role": "admin", "ROLE": "admin"},
    "role twice": lambda world: {"role": ["client", "admin"]},
    "flags": lambda world: {"is_staff": True, "is_superuser": True},
    "flags as words": lambda world: {"is_staff": "true", "is_superuser": "1"},
    "groups": lambda world: {"groups": [world.group.pk], "user_permissions": [1, 2, 3]},
    "client": lambda world: {"client": world.other.client.pk},
    "client by column": lambda world: {
        "client_id": world.other.client.pk,
        "floor_id": world.other.floors[0].pk,
    },
    "client, nested": lambda world: {"client": {"id": world.other.client.pk, "status": "active"}},
    "client of nobody": lambda world: {"client": None},
    "floor of another client": lambda world: {"floor": world.other.floors[0].pk},
    "floor, nested": lambda world: {
        "floor": {"id": world.other.floors[0].pk, "client": world.other.client.pk}
    },
    "floors": lambda world: {"floors": [floor.pk for floor in world.other.floors]},
    "another id": lambda world: {"id": world.staff.pk, "pk": world.staff.pk, "user": world.staff.pk},
    "a staff member's name": lambda world: {"username": world.staff.username},
    "a hash": lambda world: {"password_hash": world.staff.password, "session_generation": 99},
    "the user, nested": lambda world: {"user": {"id": world.staff.pk, "role": "admin", "is_superuser": True}},
    "capabilities": lambda world: {"capabilities": ["clients.manage"], "permissions": ["*"]},
    "impersonation": lambda world: {"impersonator": world.staff.pk, "real_user": world.staff.pk},
}


def token(world: World, whose: User, purpose: links.Purpose) -> str:
    """The token of a mail to this person, as they are now."""
    whose.refresh_from_db()
    return links.token_for(whose, purpose, now=clock.now())


def picture() -> SimpleUploadedFile:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return SimpleUploadedFile("me.png", file.getvalue())


@dataclass(frozen=True)
class Route:
    """A route that writes people; `body` is one that it takes."""

    method: str
    path: Callable[[World], str]
    body: Callable[[World], dict[str, Any]]
    multipart: bool = False


def user_route(method: str, whose: str, end: str = "", **body: Any) -> Route:
    """A route of one of our people."""
    return Route(
        method, lambda world: f"/api/users/{getattr(world.shop, whose).pk}/{end}", lambda world: body
    )


ROUTES: dict[str, Route] = {
    "make a colleague": Route(
        "post",
        lambda world: "/api/users/",
        lambda world: {"role": "client", "email": "new@example.com", "password": NEW},
    ),
    "make a floor user": Route(
        "post",
        lambda world: "/api/users/",
        lambda world: {"role": "floor_user", "floor": world.shop.floors[0].pk, "email": "new@example.com"},
    ),
    "change a colleague": user_route("patch", "floor_user", phone="1"),
    "change one's account": user_route("patch", "admin", phone="1"),
    "change one's profile": Route("patch", lambda world: "/api/auth/me/", lambda world: {"phone": "1"}),
    "register": Route(
        "post",
        lambda world: "/api/auth/register/",
        lambda world: {
            "business_name": "Own",
            "name": "Own",
            "email": "own@example.com",
            "password": NEW,
            "telephone": "1",
        },
    ),
    "accept an invitation": Route(
        "post",
        lambda world: "/api/auth/invitations/accept/",
        lambda world: {"token": token(world, world.guest, links.INVITATION), "password": NEW},
    ),
    "reset a password": Route(
        "post",
        lambda world: "/api/auth/password-reset/confirm/",
        lambda world: {
            "token": token(world, world.shop.floor_user, links.PASSWORD_RESET),
            "password": NEW,
        },
    ),
    "invite again": Route("post", lambda world: f"/api/users/{world.guest.pk}/invite/", lambda world: {}),
    "one's picture": Route(
        "put", lambda world: "/api/auth/me/avatar/", lambda world: {"file": picture()}, multipart=True
    ),
    "a colleague's picture": Route(
        "put",
        lambda world: f"/api/users/{world.shop.floor_user.pk}/avatar/",
        lambda world: {"file": picture()},
        multipart=True,
    ),
}


def standing() -> dict[int, tuple[Any, ...]]:
    """What everybody may do: by flags, role, business, floor, groups and permissions."""
    return {
        user.pk: (
            user.username,
            user.is_superuser,
            user.is_staff,
            user.role,
            user.client_id,
            user.floor_id,
            *sorted(user.groups.values_list("pk", flat=True)),
            *sorted(user.user_permissions.values_list("pk", flat=True)),
        )
        for user in User.everyone.all()
    }


def refuse_a_rise(world: World, before: dict[int, tuple[Any, ...]], *, told: str) -> None:
    """Fails unless everybody stands where they stood, and the new ones no higher than an admin of their business."""
    after = standing()
    assert {pk: after.get(pk) for pk in before} == before, told
    for pk in after.keys() - before.keys():
        username, superuser, is_staff, role, client_id, floor_id, *more = after[pk]
        assert (superuser, is_staff, more) == (False, False, []), told
        assert role in {"client", "floor_user"}, told
        if username == "own@example.com":
            assert client_id not in {None, world.shop.client.pk, world.other.client.pk}, told
        else:
            assert client_id == world.shop.client.pk, told
        assert floor_id is None or floor_id in {floor.pk for floor in world.shop.floors}, told


@pytest.mark.parametrize("caller", ["admin", "floor_user"])
@pytest.mark.parametrize("name", ROUTES)
def test_nobody_rises_by_what_a_body_carries(name: str, caller: str, call: Any, world: World) -> None:
    route = ROUTES[name]
    client = call(getattr(world.shop, caller))
    before = standing()
    codes = set()
    for extra, make in EXTRAS.items():
        for kind in ["multipart"] if route.multipart else ["json", "multipart"]:
            more = make(world)
            nested = any(isinstance(value, dict) or value is None for value in more.values())
            if kind == "multipart" and nested:
                continue  # a form has no such thing
            with transaction.atomic():
                body = route.body(world) | more
                answer = getattr(client, route.method)(route.path(world), body, format=kind)
                refuse_a_rise(world, before, told=f"{extra} as {kind}: {answer.status_code}")
                transaction.set_rollback(True)
            codes.add(answer.status_code)
    assert codes <= {200, 201, 202, 204, 400, 403, 415}, codes
    if caller == "admin":
        assert codes & {200, 201, 202, 204}, "the route was never reached: every attempt was refused"


# --- what one may ask for openly ---------------------------------------------------------------------------

ATTEMPTS: list[tuple[str, str, str, str, dict[str, Any], int]] = [
    # (what, who, method, path, body, status)
    ("staff, by a client admin", "admin", "post", "users/", {"role": "admin", "email": "n@example.com"}, 403),
    (
        "an admin, by a floor user",
        "floor_user",
        "post",
        "users/",
        {"role": "client", "email": "n@e.com"},
        403,
    ),
    (
        "an admin elsewhere",
        "admin",
        "post",
        "users/",
        {"role": "client", "client": "OTHER", "email": "n@e.com"},
        400,
    ),
    (
        "a floor user elsewhere",
        "admin",
        "post",
        "users/",
        {"role": "floor_user", "floor": "OTHER FLOOR", "email": "n@e.com"},
        400,
    ),
    ("a colleague made staff", "admin", "patch", "users/FLOOR_USER/", {"role": "admin"}, 403),
    ("oneself made staff", "admin", "patch", "users/ADMIN/", {"role": "admin"}, 403),
    ("oneself made admin", "floor_user", "patch", "users/FLOOR_USER/", {"role": "client"}, 403),
    ("a colleague moved", "admin", "patch", "users/FLOOR_USER/", {"client": "OTHER"}, 400),
    ("oneself moved", "admin", "patch", "users/ADMIN/", {"client": "OTHER"}, 400),
    (
        "a colleague to a floor elsewhere",
        "admin",
        "patch",
        "users/FLOOR_USER/",
        {"floor": "OTHER FLOOR"},
        400,
    ),
    ("a password of staff", "admin", "patch", "users/STAFF/", {"password": NEW}, 404),
    ("an address of staff", "admin", "patch", "users/STAFF/", {"email": "mine@example.com"}, 404),
    ("a stranger's password", "admin", "patch", "users/STRANGER/", {"password": NEW}, 404),
    ("a stranger removed", "admin", "delete", "users/STRANGER/", {}, 404),
    ("staff removed", "admin", "delete", "users/STAFF/", {}, 404),
    ("a stranger invited", "admin", "post", "users/STRANGER/invite/", {}, 404),
    ("a stranger's picture", "admin", "delete", "users/STRANGER/avatar/", {}, 404),
    ("the address of staff for oneself", "admin", "patch", "auth/me/", {"email": "STAFF MAIL"}, 400),
    ("one's address without the password", "admin", "patch", "auth/me/", {"email": "n@example.com"}, 400),
    ("one's password without the old one", "admin", "patch", "auth/me/", {"password": NEW}, 400),
    ("one's password past the check", "admin", "patch", "users/ADMIN/", {"password": NEW}, 403),
    ("one's floor", "floor_user", "patch", "users/FLOOR_USER/", {"floor": "UPPER"}, 403),
    ("the whole row", "admin", "put", "users/FLOOR_USER/", {"role": "admin"}, 405),
]


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt[0])
def test_what_one_may_not_ask_for(attempt: Any, call: Any, world: World) -> None:
    _, who, method, path, body, status = attempt
    places: dict[str, Any] = {
        "ADMIN": world.shop.admin.pk,
        "FLOOR_USER": world.shop.floor_user.pk,
        "STAFF": world.staff.pk,
        "STRANGER": world.other.floor_user.pk,
        "OTHER": world.other.client.pk,
        "OTHER FLOOR": world.other.floors[0].pk,
        "UPPER": world.shop.floors[1].pk,
        "STAFF MAIL": world.staff.email,
    }
    for name in ("ADMIN", "FLOOR_USER", "STAFF", "STRANGER"):
        path = path.replace(f"users/{name}/", f"users/{places[name]}/")
    if body.get("email") == "STAFF MAIL":
        body = body | {"current_password": PASSWORD}
    body = {name: places.get(str(value), value) for name, value in body.items()}
    before = list(User.everyone.order_by("pk").values())
    answer = getattr(call(getattr(world.shop, who)), method)(f"/api/{path}", body)
    assert answer.status_code == status, answer.data
    assert list(User.everyone.order_by("pk").values()) == before


# --- tokens whose right has ended --------------------------------------------------------------------------


def patched(call: Any, world: World, **body: Any) -> None:
    """Our admin changes our floor user."""
    answer = call(world.shop.admin).patch(f"/api/users/{world.shop.floor_user.pk}/", body)
    assert answer.status_code == 200, answer.data


def risen(call: Any, world: World) -> None:
    """Gives our floor user another role for a while."""
    patched(call, world, role="client")
    patched(call, world, role="floor_user", floor=world.shop.floors[0].pk)


def off_and_on(call: Any, world: World) -> None:
    """Locks our floor user out for a while."""
    patched(call, world, is_active=False)
    patched(call, world, is_active=True)


def removed(call: Any, world: World) -> None:
    assert call(world.shop.admin).delete(f"/api/users/{world.shop.floor_user.pk}/").status_code == 204


def own_password(call: Any, world: World) -> None:
    body = {"current_password": PASSWORD, "password": NEW}
    assert call(world.shop.floor_user).patch("/api/auth/me/", body).status_code == 200


def reset(call: Any, world: World) -> None:
    body = ROUTES["reset a password"].body(world)
    assert call().post("/api/auth/password-reset/confirm/", body).status_code == 204


ENDINGS: dict[str, Callable[[Any, World], None]] = {
    "removed": removed,
    "switched off": lambda call, world: patched(call, world, is_active=False),
    "off and on again": off_and_on,
    "promoted": lambda call, world: patched(call, world, role="client"),
    "promoted and demoted": risen,
    "moved to another floor": lambda call, world: patched(call, world, floor=world.shop.floors[1].pk),
    "a password from the admin": lambda call, world: patched(call, world, password=NEW),
    "a password of one's own": own_password,
    "a reset": reset,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_tokens_end_with_the_right_to_them(ending: str, call: Any, world: World) -> None:
    body = {"email": world.shop.floor_user.email, "password": PASSWORD}
    tokens = call().post("/api/auth/login/", body).data
    theirs = call()
    theirs.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    assert theirs.get("/api/auth/me/").status_code == 200
    ENDINGS[ending](call, world)
    for answer in (
        theirs.get("/api/auth/me/"),
        theirs.patch("/api/auth/me/", {"phone": "1"}),
        theirs.post("/api/auth/logout/", {"refresh": tokens["refresh"]}),
        call().post("/api/auth/refresh/", {"refresh": tokens["refresh"]}),
    ):
        assert (answer.status_code, answer.data["code"]) == (401, "token_invalid")
    assert trail("logout") == []


def test_a_refresh_token_ends_with_signing_out_and_with_its_use(call: Any, world: World) -> None:
    body = {"email": world.shop.admin.email, "password": PASSWORD}
    first = call().post("/api/auth/login/", body).data["refresh"]
    second = call().post("/api/auth/refresh/", {"refresh": first}).data["refresh"]
    assert call(world.shop.admin).post("/api/auth/logout/", {"refresh": second}).status_code == 204
    for spent in (first, second):
        answer = call().post("/api/auth/refresh/", {"refresh": spent})
        assert (answer.status_code, answer.data["code"]) == (401, "token_invalid")


def test_a_demoted_admin_manages_nobody(call: Any, world: World) -> None:
    second = User.everyone.create_user(
        "second@example.com", "second@example.com", PASSWORD, role="client", client=world.shop.client
    )
    old = call(second)
    demotion = {"role": "floor_user", "floor": world.shop.floors[0].pk}
    assert call(world.shop.admin).patch(f"/api/users/{second.pk}/", demotion).status_code == 200
    assert old.get("/api/users/").status_code == 401
    tokens = call().post("/api/auth/login/", {"email": second.email, "password": PASSWORD}).data
    fresh = call()
    fresh.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    for answer in (fresh.get("/api/users/"), fresh.post("/api/users/", {}), fresh.get("/api/auth/me/")):
        assert answer.status_code == (200 if answer.request["PATH_INFO"] == "/api/auth/me/" else 403)


def test_people_of_a_suspended_business_change_nobody(call: Any, world: World) -> None:
    caller = call(world.shop.admin)
    Client._base_manager.filter(pk=world.shop.client.pk).update(status="suspended")
    before = list(User.everyone.order_by("pk").values())
    for method, path, body in (
        ("post", "users/", {"role": "client", "email": "n@example.com", "password": NEW}),
        ("patch", f"users/{world.shop.floor_user.pk}/", {"role": "client"}),
        ("delete", f"users/{world.shop.floor_user.pk}/", {}),
        ("post", f"users/{world.guest.pk}/invite/", {}),
        ("delete", f"users/{world.shop.floor_user.pk}/avatar/", {}),
    ):
        answer = getattr(caller, method)(f"/api/{path}", body)
        assert (answer.status_code, answer.data["code"]) == (403, "client_suspended"), path
    assert list(User.everyone.order_by("pk").values()) == before
