"""Signing in, rotating the tokens, signing out, and what must not let anybody in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from common import clock, throttling
from core import retention
from users import sessions
from users.models import User, UserSession
from users.tests.support import PASSWORD, raw_trail, trail

LOGIN, REFRESH, LOGOUT, ME = (f"/api/auth/{name}/" for name in ("login", "refresh", "logout", "me"))


def login(call: Any, account: str, password: str = PASSWORD, address: str = "192.0.2.1") -> Any:
    """One attempt."""
    return call().post(LOGIN, {"email": account, "password": password}, REMOTE_ADDR=address)


def get_me(call: Any, access: str) -> Any:
    """Whether an access token opens something."""
    client = call()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client.get(ME)


@pytest.mark.parametrize("who", ["admin", "floor_user"])
def test_a_session(who: str, call: Any, shop: Any) -> None:
    user = getattr(shop, who)
    before = clock.now()
    answer = login(call, user.email.upper())
    assert answer.status_code == 200
    assert answer.data["user"]["id"] == user.pk
    assert get_me(call, answer.data["access"]).data["email"] == user.email
    user.refresh_from_db()
    assert before <= user.last_login <= clock.now()
    (entry,) = trail("login")
    assert (entry.resource, entry.resource_id, entry.client_id, entry.actor) == (
        "user",
        str(user.pk),
        shop.client.pk,
        user.username,
    )


@pytest.mark.parametrize("field", ["username", "email"])
def test_a_username_that_is_no_address(field: str, call: Any, db: None) -> None:
    User.everyone.create_superuser("root", "root@example.com", PASSWORD)
    assert call().post(LOGIN, {field: "root", "password": PASSWORD}).status_code == 200


def test_an_address_wins_over_a_username_that_reads_the_same(call: Any, db: None, shop: Any) -> None:
    new = User.everyone.create_user
    new("mine@example.com", "elsewhere@example.com", PASSWORD, client=shop.client)
    owner = new("owner", "mine@example.com", PASSWORD, client=shop.client)
    assert login(call, "mine@example.com").data["user"]["id"] == owner.pk


def test_the_refusal_does_not_tell_what_was_wrong(call: Any, shop: Any) -> None:
    User.everyone.filter(pk=shop.floor_user.pk).update(is_active=False)
    answers = [
        login(call, "nobody@example.com"),
        login(call, shop.admin.email, "wrong horse battery"),
        login(call, shop.floor_user.email),
    ]
    for answer in answers:
        body = dict(answer.json())
        body.pop("request_id")
        assert (answer.status_code, body) == (
            401,
            {
                "type": "urn:sync2gear:problem:bad_credentials",
                "title": "The sign-in was refused",
                "status": 401,
                "detail": "The e-mail address or the password is wrong.",
                "code": "bad_credentials",
            },
        )
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer["Content-Type"] == "application/problem+json"


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that is hashed, in order."""
    done: list[str] = []
    plain = MD5PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        done.append(password)
        return plain(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    return done


def test_the_refusal_takes_the_same_work(call: Any, shop: Any, hashes: list[str]) -> None:
    User.everyone.filter(pk=shop.floor_user.pk).update(is_active=False)
    counts = []
    for account in ("nobody@example.com", shop.admin.email, shop.floor_user.email):
        hashes.clear()
        login(call, account, "wrong horse battery")
        counts.append(len(hashes))
    assert counts == [1, 1, 1]


def test_failed_sign_ins_are_on_record_without_the_password(call: Any, shop: Any) -> None:
    login(call, shop.admin.email, "wrong horse battery")
    login(call, "x" * 250, "wrong horse battery")
    known, unknown = trail("login_failed")
    assert (known.client_id, known.resource_id, known.actor) == (
        shop.client.pk,
        str(shop.admin.pk),
        "anonymous",
    )
    assert known.details == {"account": shop.admin.email}
    assert (unknown.client_id, unknown.resource_id) == (None, "")
    assert unknown.details == {"account": "x" * 250}
    assert "wrong horse" not in raw_trail()
    assert trail("login") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": PASSWORD}, "email"),
        ({"email": "", "password": PASSWORD}, "email"),
        ({"email": "a@example.com"}, "password"),
        ({"email": "a\x00@example.com", "password": PASSWORD}, "email"),
        ({"email": ["a@example.com"], "password": PASSWORD}, "email"),
        ({"email": "a" * 255, "password": PASSWORD}, "email"),
        ({"email": "a@example.com", "password": "x" * 257}, "password"),
    ],
)
def test_what_is_no_attempt(body: Any, field: str, call: Any, db: None) -> None:
    answer = call().post(LOGIN, body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.data["errors"]] == [field]


def test_people_of_a_suspended_business_sign_in_and_read(call: Any, shop: Any) -> None:
    type(shop.client)._base_manager.filter(pk=shop.client.pk).update(status="suspended")
    answer = login(call, shop.admin.email)
    assert answer.status_code == 200
    assert answer.data["user"]["client"]["lock"]["code"] == "client_suspended"


def test_a_stale_access_token_is_no_reason_to_refuse_a_sign_in(call: Any, shop: Any) -> None:
    client = call()
    client.credentials(HTTP_AUTHORIZATION="Bearer rubbish")
    answer = client.post(LOGIN, {"email": shop.admin.email, "password": PASSWORD})
    assert answer.status_code == 200


# --- how often ---------------------------------------------------------------------------------------------


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttling.LIMITS, "login.account", throttling.Limit(2, 900))
    monkeypatch.setitem(throttling.LIMITS, "login.address", throttling.Limit(5, 900))


@pytest.mark.usefixtures("_few")
def test_one_account_from_one_address(call: Any, shop: Any) -> None:
    mail = shop.admin.email
    attempts = [
        (mail, "wrong horse battery", "192.0.2.1", 401),
        (f" {mail.upper()}", "wrong horse battery", "192.0.2.1", 401),
        (mail, PASSWORD, "192.0.2.1", 429),
        (mail, PASSWORD, "192.0.2.2", 200),
        (shop.floor_user.email, PASSWORD, "192.0.2.1", 200),
    ]
    for account, password, address, status in attempts:
        answer = login(call, account, password, address)
        assert answer.status_code == status, (account, address)
        if status == 429:
            assert answer.data["code"] == "rate_limited"
            assert 1 <= int(answer["Retry-After"]) <= 900


@pytest.mark.usefixtures("_few")
def test_many_accounts_from_one_address(call: Any, shop: Any) -> None:
    answers = [login(call, f"guess{n}@example.com") for n in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert login(call, shop.admin.email).status_code == 429
    assert login(call, shop.admin.email, address="192.0.2.2").status_code == 200


def test_many_addresses_that_guess_together_shut_nobody_out(
    call: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = shop.admin.email
    assert login(call, mail, address="192.0.2.1").status_code == 200
    monkeypatch.setitem(throttling.LIMITS, "login.everywhere", throttling.Limit(5, 10**9))
    statuses = [login(call, mail, "wrong horse battery", f"198.51.100.{n}").status_code for n in range(1, 7)]
    assert statuses == [401] * 5 + [429]
    assert login(call, mail, address="198.51.100.9").status_code == 429, "right, and from where nobody knows"
    assert login(call, mail, address="192.0.2.1").status_code == 200
    assert login(call, "nobody@example.com", address="198.51.100.9").status_code == 401


@pytest.mark.usefixtures("_few")
def test_a_right_password_clears_the_account(call: Any, shop: Any) -> None:
    passwords = ["wrong horse", PASSWORD, "wrong horse", PASSWORD]
    assert [login(call, shop.admin.email, p).status_code for p in passwords] == [401, 200, 401, 200]


# --- rotation ----------------------------------------------------------------------------------------------


def refresh(call: Any, token: str) -> Any:
    """One rotation."""
    return call().post(REFRESH, {"refresh": token})


def test_a_refresh_token_works_once(call: Any, shop: Any) -> None:
    first = login(call, shop.admin.email).data["refresh"]
    second = refresh(call, first)
    assert second.status_code == 200
    assert set(second.data) == {"access", "refresh"}
    assert get_me(call, second.data["access"]).status_code == 200
    again = refresh(call, first)
    assert (again.status_code, again.data["code"]) == (401, "token_invalid")
    assert refresh(call, second.data["refresh"]).status_code == 200


def _gone(user: User) -> None:
    user.delete()


def _off(user: User) -> None:
    User.everyone.filter(pk=user.pk).update(is_active=False)


def _new_password(user: User) -> None:
    user.set_password("another horse battery")
    user.save()


@pytest.mark.parametrize("change", [_gone, _off, _new_password])
def test_what_ends_every_session(change: Any, call: Any, shop: Any) -> None:
    tokens = login(call, shop.floor_user.email).data
    change(shop.floor_user)
    answer = refresh(call, tokens["refresh"])
    assert (answer.status_code, answer.data["code"]) == (401, "token_invalid")
    assert get_me(call, tokens["access"]).status_code == 401


def _expired(user: User) -> str:
    token = RefreshToken.for_user(user)
    token.set_exp(from_time=clock.now() - timedelta(days=30))
    return str(token)


def _forged(user: User) -> str:
    head, body, signature = str(RefreshToken.for_user(user)).split(".")
    return f"{head}.{body}.{signature[::-1]}"


def _unsigned(user: User) -> str:
    body = str(RefreshToken.for_user(user)).split(".")[1]
    return f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}."


def _access(user: User) -> str:
    return str(AccessToken.for_user(user))


NO_REFRESH_TOKENS = [_expired, _forged, _unsigned, _access, lambda user: "rubbish", lambda user: "ключ"]


@pytest.mark.parametrize("make", NO_REFRESH_TOKENS)
def test_what_rotates_nothing(make: Any, call: Any, shop: Any) -> None:
    answer = refresh(call, make(shop.admin))
    assert (answer.status_code, answer.data["code"]) == (401, "token_invalid")


def test_a_refresh_token_is_no_access_token(call: Any, shop: Any) -> None:
    assert get_me(call, str(RefreshToken.for_user(shop.admin))).status_code == 401


def test_refresh_tokens_are_not_kept(call: Any, shop: Any) -> None:
    refresh(call, login(call, shop.admin.email).data["refresh"])
    assert list(OutstandingToken.objects.values_list("token", flat=True)) == ["", ""]


def test_of_two_racers_with_one_token_one_wins(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    token = sessions.open_session(shop.admin).refresh
    sessions.rotate(refresh=token)
    # The loser looked at the blacklist before the winner wrote into it.
    monkeypatch.setattr(RefreshToken, "check_blacklist", lambda self: None)
    with pytest.raises(sessions.Refusal):
        sessions.rotate(refresh=token)


# --- signing out -------------------------------------------------------------------------------------------


def test_signing_out_ends_the_session_and_is_idempotent(call: Any, shop: Any) -> None:
    token = login(call, shop.admin.email).data["refresh"]
    for _ in range(2):
        answer = call(shop.admin).post(LOGOUT, {"refresh": token})
        assert (answer.status_code, answer.content) == (204, b"")
    assert refresh(call, token).status_code == 401
    (entry,) = trail("logout")
    assert (entry.resource_id, entry.client_id, entry.actor) == (
        str(shop.admin.pk),
        shop.client.pk,
        shop.admin.username,
    )


def test_an_expired_session_is_out_already(call: Any, shop: Any) -> None:
    assert call(shop.admin).post(LOGOUT, {"refresh": _expired(shop.admin)}).status_code == 204
    assert trail("logout") == []


def test_nobody_signs_somebody_else_out(call: Any, shop: Any) -> None:
    token = login(call, shop.admin.email).data["refresh"]
    answer = call(shop.floor_user).post(LOGOUT, {"refresh": token})
    assert (answer.status_code, answer.data["code"]) == (403, "permission_denied")
    assert refresh(call, token).status_code == 200


def test_signing_out_needs_a_sign_in(call: Any, shop: Any) -> None:
    token = login(call, shop.admin.email).data["refresh"]
    assert call().post(LOGOUT, {"refresh": token}).status_code == 401
    assert refresh(call, token).status_code == 200


@pytest.mark.parametrize("make", [_forged, _unsigned, _access, lambda user: "rubbish"])
def test_what_is_no_session_to_sign_out_of(make: Any, call: Any, shop: Any) -> None:
    answer = call(shop.admin).post(LOGOUT, {"refresh": make(shop.admin)})
    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.data["errors"]] == [("refresh", "token_invalid")]


def test_people_of_a_suspended_business_sign_out(call: Any, shop: Any) -> None:
    type(shop.client)._base_manager.filter(pk=shop.client.pk).update(status="suspended")
    token = login(call, shop.admin.email).data["refresh"]
    assert call(shop.admin).post(LOGOUT, {"refresh": token}).status_code == 204


def test_records_of_expired_tokens_are_forgotten(call: Any, shop: Any) -> None:
    token = login(call, shop.admin.email).data["refresh"]
    refresh(call, token)
    now = clock.now()
    retention.forget_old(now=now)
    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (2, 1)
    retention.forget_old(now=now + timedelta(days=15))
    assert not OutstandingToken.objects.exists()


# --- the session behind the tokens -------------------------------------------------------------------------

SESSIONS, EVERYWHERE = "/api/auth/sessions/", "/api/auth/logout-everywhere/"


def signed_in(call: Any, access: str) -> Any:
    """A client with this access token."""
    client = call()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


def test_signing_out_ends_the_access_token_at_once_and_no_other_session(call: Any, shop: Any) -> None:
    gone, kept = (login(call, shop.admin.email).data for _ in range(2))
    fresh = refresh(call, gone["refresh"]).data
    assert signed_in(call, fresh["access"]).post(LOGOUT, {"refresh": fresh["refresh"]}).status_code == 204
    assert [get_me(call, each["access"]).status_code for each in (gone, fresh, kept)] == [401, 401, 200]
    assert refresh(call, kept["refresh"]).status_code == 200


def test_a_copied_refresh_token_ends_the_session(
    call: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9700 §4.14.2: it cannot be told who of the two is the thief."""
    stolen, other = (login(call, shop.admin.email).data for _ in range(2))
    thief = refresh(call, stolen["refresh"]).data
    assert refresh(call, stolen["refresh"]).status_code == 401
    assert get_me(call, thief["access"]).status_code == 200, "two tabs, or an answer that was lost"
    monkeypatch.setattr(sessions, "HASTE", timedelta(seconds=-1))
    assert refresh(call, stolen["refresh"]).status_code == 401
    assert get_me(call, thief["access"]).status_code == 401
    assert refresh(call, thief["refresh"]).status_code == 401
    assert get_me(call, other["access"]).status_code == 200
    (entry,) = trail("refresh_reused")
    assert (entry.resource_id, entry.client_id) == (str(shop.admin.pk), shop.client.pk)


def test_nobody_stays_for_ever(call: Any, shop: Any) -> None:
    token = login(call, shop.admin.email).data["refresh"]
    soon = clock.now() + timedelta(days=3)
    UserSession.objects.update(expires_at=soon)
    second = refresh(call, token).data["refresh"]
    assert RefreshToken(second)["exp"] == int(soon.timestamp())
    UserSession.objects.update(expires_at=clock.now())
    assert refresh(call, second).status_code == 401
    retention.forget_old(now=clock.now())
    assert not UserSession.objects.exists()


def test_where_one_is_signed_in(call: Any, shop: Any) -> None:
    login(call, shop.floor_user.email)
    login(call, shop.admin.email, address="192.0.2.7")
    here = call().post(
        LOGIN, {"email": shop.admin.email, "password": PASSWORD}, headers={"user-agent": "Tablet" * 99}
    )
    client = signed_in(call, here.data["access"])
    found = client.get(SESSIONS).data
    assert [(each["ip_address"], each["current"]) for each in found] == [
        ("127.0.0.1", True),
        ("192.0.2.7", False),
    ]
    assert found[0]["user_agent"] == ("Tablet" * 99)[:200]


def test_signing_out_everywhere_needs_the_password(call: Any, shop: Any) -> None:
    tokens = [login(call, shop.admin.email).data for _ in range(2)]
    client = signed_in(call, tokens[0]["access"])
    wrong = client.post(EVERYWHERE, {"current_password": "wrong horse"})
    assert (wrong.status_code, wrong.data["code"]) == (400, "wrong_password")
    assert client.get(ME).status_code == 200
    assert client.post(EVERYWHERE, {"current_password": PASSWORD}).status_code == 204
    for each in tokens:
        assert get_me(call, each["access"]).status_code == 401
        assert refresh(call, each["refresh"]).status_code == 401
    assert login(call, shop.admin.email).status_code == 200
    assert [entry.action for entry in trail("logout_everywhere")] == ["logout_everywhere"]


def test_an_admin_signs_somebody_out(call: Any, shop: Any, other_shop: Any) -> None:
    theirs = login(call, shop.floor_user.email).data
    path = f"/api/users/{shop.floor_user.pk}/end-sessions/"
    assert call(other_shop.admin).post(path).status_code == 404
    assert get_me(call, theirs["access"]).status_code == 200
    assert call(shop.admin).post(path).status_code == 204
    assert get_me(call, theirs["access"]).status_code == 401
