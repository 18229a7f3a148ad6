"""Registration makes a business on trial and its admin, or nothing at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clients.models import Client
from common import clock, throttling
from users.models import User
from users.tests.support import raw_trail, trail

URL = "/api/auth/register/"
BODY = {
    "business_name": "Corner Café",
    "name": "Ada King Lovelace",
    "email": "Ada@Example.com",
    "password": "correct horse battery",
    "telephone": "+44 20 1234",
    "timezone": "Europe/London",
}


@pytest.mark.django_db
def test_a_business_and_its_admin(call: Any, everything: None) -> None:
    before = clock.now()
    answer = call().post(URL, BODY)
    assert answer.status_code == 201, answer.data
    client = Client.objects.get()
    user = User.everyone.get()
    assert (client.business_name, client.name) == ("Corner Café", "Corner Café")
    assert (client.email, client.telephone, client.timezone) == (
        "ada@example.com",
        "+44 20 1234",
        "Europe/London",
    )
    assert client.status == Client.Status.TRIAL
    assert before <= client.trial_ends_at - timedelta(days=14) <= clock.now()
    assert (user.username, user.email, user.role, user.client) == (
        "ada@example.com",
        "ada@example.com",
        "client",
        client,
    )
    assert (user.first_name, user.last_name, user.is_staff) == ("Ada", "King Lovelace", False)
    assert user.check_password(BODY["password"])
    assert client.floors.count() == 0

    me = answer.data["user"]
    assert me["client"]["id"] == client.pk
    assert (me["client"]["floors_allowed"], me["client"]["floors_used"]) == (1, 0)
    assert me["client"]["lock"] is None
    signed_in = call()
    signed_in.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.data['access']}")
    assert signed_in.get("/api/auth/me/").data == me
    assert call().post("/api/auth/refresh/", {"refresh": answer.data["refresh"]}).status_code == 200

    assert [(e.action, e.resource, e.client_id) for e in trail()] == [
        ("create", "client", client.pk),
        ("create", "user", client.pk),
        ("register", "client", client.pk),
    ]
    assert trail("register")[0].actor == "ada@example.com"
    assert BODY["password"] not in raw_trail()
    assert user.password not in raw_trail()


@pytest.mark.django_db
def test_the_time_zone_may_be_left_out(call: Any, everything: None) -> None:
    body = {name: value for name, value in BODY.items() if name != "timezone"}
    assert call().post(URL, body).status_code == 201
    assert Client.objects.get().timezone == "UTC"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "SHOP-OWNER@example.com", "unique"),
        ("email", "Business@Example.com", "unique"),
        ("email", "Username@Example.com", "unique"),
        ("email", "root", "invalid"),
        ("email", "not an address", "invalid"),
        ("email", "", "blank"),
        ("email", "a" * 140 + "@example.com", "max_length"),
        ("password", "short1", "password_too_short"),
        ("password", "password1234", "password_too_common"),
        ("password", "83749238472398", "password_entirely_numeric"),
        ("password", "ada@example.com", "password_too_similar"),
        ("password", "x" * 300, "max_length"),
        ("business_name", "   ", "blank"),
        ("business_name", "x" * 256, "max_length"),
        ("business_name", "a\x00b", "null_characters_not_allowed"),
        ("name", None, "null"),
        ("telephone", "1" * 21, "max_length"),
        ("timezone", "Mars/Olympus", "unknown_time_zone"),
    ],
)
@pytest.mark.django_db
def test_what_is_refused_leaves_nothing(
    field: str, value: Any, code: str, call: Any, shop: Any, everything: None
) -> None:
    User.everyone.filter(pk=shop.admin.pk).update(email="shop-owner@example.com")
    User.everyone.filter(pk=shop.floor_user.pk).update(username="username@example.com")
    Client.objects.filter(pk=shop.client.pk).update(email="business@example.com")
    before = (Client.objects.count(), User.everyone.count(), len(trail()))
    answer = call().post(URL, BODY | {field: value})
    assert answer.status_code == 400, answer.data
    assert (field, code) in [(error["field"], error["code"]) for error in answer.data["errors"]]
    assert answer.data["code"] == "validation_failed"
    assert (Client.objects.count(), User.everyone.count(), len(trail())) == before


@pytest.mark.django_db
def test_an_address_registers_only_so_many(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttling.LIMITS, "register.address", throttling.Limit(2, 3600))
    tries = [
        call().post(URL, BODY | {"email": f"a{n}@example.com"}, REMOTE_ADDR=address)
        for n, address in enumerate(["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"])
    ]
    assert [answer.status_code for answer in tries] == [201, 201, 429, 201]
    assert tries[2].data["code"] == "rate_limited"
    assert 1 <= int(tries[2]["Retry-After"]) <= 3600
