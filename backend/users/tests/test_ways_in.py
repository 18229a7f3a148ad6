"""Invitations and forgotten passwords, from the request to the mail and back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail as djangos_mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from common import clock, throttling
from users import mailing
from users.models import OutgoingMail, User
from users.tests.support import PASSWORD, at_once, raw_trail, token_in, trail

USERS, ACCEPT = "/api/users/", "/api/auth/invitations/accept/"
RESET, CONFIRM = "/api/auth/password-reset/", "/api/auth/password-reset/confirm/"
LOGIN = "/api/auth/login/"
NEW = "another horse battery"
GUEST = {"role": "client", "email": "grace@example.com", "name": "Grace Hopper"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_postman(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail waits for `post_round`; tests that commit would race the job for it."""
    monkeypatch.setattr("common.jobs._start", lambda task, ids, missed: None)


def post_round() -> list[Any]:
    """Delivers what the outbox holds; what was sent by it."""
    before = len(djangos_mail.outbox)
    now = clock.now()
    for mail_id in mailing.due(now=now):
        mailing.deliver(mail_id=mail_id, now=now)
    return djangos_mail.outbox[before:]


def invited(call: Any, shop: Any, **fields: Any) -> tuple[User, str]:
    """Somebody who was invited, and the token of their mail."""
    answer = call(shop.admin).post(USERS, GUEST | fields)
    assert answer.status_code == 201, answer.data
    (mail,) = post_round()
    return User.everyone.get(pk=answer.data["id"]), token_in(mail.body)


def reset_token(call: Any, user: User) -> str:
    """The token of a mail that this person asked for."""
    assert call().post(RESET, {"email": user.email}).status_code == 202
    (mail,) = post_round()
    assert mail.to == [user.email]
    return token_in(mail.body)


def field_codes(answer: Any) -> list[tuple[str, str]]:
    """(field, code) of everything that was wrong."""
    return [(error["field"], error["code"]) for error in answer.data["errors"]]


# --- invitations -------------------------------------------------------------------------------------------


def test_from_the_invitation_to_the_first_day(call: Any, shop: Any) -> None:
    made = call(shop.admin).post(USERS, GUEST)
    assert (made.status_code, made.data["status"]) == (201, "invited")
    assert djangos_mail.outbox == [], "mail leaves by a job, after the commit"
    (mail,) = post_round()
    assert (mail.to, mail.subject) == (["grace@example.com"], "Our shop invites you to sync2gear")
    for attempt in ("", "!", NEW):
        assert call().post(LOGIN, {"email": GUEST["email"], "password": attempt or "x"}).status_code == 401

    body = {"token": token_in(mail.body), "password": NEW, "name": "Grace Murray Hopper"}
    answer = call().post(ACCEPT, body)
    assert answer.status_code == 200, answer.data
    assert (answer.data["user"]["name"], answer.data["user"]["role"]) == ("Grace Murray Hopper", "client")
    theirs = call()
    theirs.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.data['access']}")
    assert theirs.get("/api/auth/me/").status_code == 200
    assert call().post(LOGIN, {"email": GUEST["email"], "password": NEW}).status_code == 200
    assert call(shop.admin).get(f"{USERS}{made.data['id']}/").data["status"] == "active"

    again = call().post(ACCEPT, body | {"password": "a third horse battery"})
    assert (again.status_code, again.data["code"], field_codes(again)) == (
        400,
        "link_invalid",
        [("token", "link_invalid")],
    )
    asked, accepted = trail("invite", "accept_invitation")
    assert (asked.actor, accepted.actor) == (shop.admin.username, "grace@example.com")
    assert {entry.resource_id for entry in (asked, accepted)} == {str(made.data["id"])}
    assert token_in(mail.body) not in raw_trail()
    assert NEW not in raw_trail()


def test_what_an_acceptance_needs(call: Any, shop: Any) -> None:
    user, token = invited(call, shop)
    cases: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
        ({}, [("token", "required"), ("password", "required")]),
        ({"token": token, "password": "short"}, [("password", "password_too_short")]),
        ({"token": token, "password": "grace@example.com"}, [("password", "password_too_similar")]),
        ({"token": token[:-1], "password": NEW}, [("token", "link_invalid")]),
        ({"token": "x" * 1025, "password": NEW}, [("token", "max_length")]),
        ({"token": token, "password": NEW, "name": "x" * 151}, [("name", "max_length")]),
    ]
    for body, expected in cases:
        answer = call().post(ACCEPT, body)
        assert (answer.status_code, field_codes(answer)) == (400, expected)
    user.refresh_from_db()
    assert user.status == "invited"
    assert call().post(ACCEPT, {"token": token, "password": NEW}).status_code == 200


def test_an_invitation_sent_again_replaces_the_one_before(call: Any, shop: Any) -> None:
    user, first = invited(call, shop)
    answer = call(shop.admin).post(f"{USERS}{user.pk}/invite/")
    assert (answer.status_code, answer.data) == (
        202,
        {"detail": "An invitation is on its way to grace@example.com."},
    )
    (mail,) = post_round()
    assert call().post(ACCEPT, {"token": first, "password": NEW}).status_code == 400
    assert call().post(ACCEPT, {"token": token_in(mail.body), "password": NEW}).status_code == 200


@pytest.mark.parametrize("who", ["has a password", "switched off"])
def test_who_cannot_be_invited_again(who: str, call: Any, shop: Any) -> None:
    if who == "switched off":
        User.everyone.filter(pk=shop.floor_user.pk).update(password="!", is_active=False)
    answer = call(shop.admin).post(f"{USERS}{shop.floor_user.pk}/invite/")
    assert (answer.status_code, answer.data["code"]) == (409, "not_invited")
    assert not OutgoingMail.objects.exists()


def test_a_new_address_of_somebody_invited_gets_the_invitation(call: Any, shop: Any) -> None:
    user, first = invited(call, shop)
    changed = call(shop.admin).patch(f"{USERS}{user.pk}/", {"email": "hopper@example.com"})
    assert changed.status_code == 200
    (mail,) = post_round()
    assert mail.to == ["hopper@example.com"]
    assert call().post(ACCEPT, {"token": first, "password": NEW}).status_code == 400
    assert call().post(ACCEPT, {"token": token_in(mail.body), "password": NEW}).status_code == 200


def test_another_floor_leaves_the_invitation_alone(call: Any, shop: Any) -> None:
    user, token = invited(call, shop, role="floor_user", floor=shop.floors[0].pk)
    assert call(shop.admin).patch(f"{USERS}{user.pk}/", {"floor": shop.floors[1].pk}).status_code == 200
    assert post_round() == []
    assert call().post(ACCEPT, {"token": token, "password": NEW}).status_code == 200


def test_who_is_made_switched_off_is_invited_when_switched_on(call: Any, shop: Any) -> None:
    made = call(shop.admin).post(USERS, GUEST | {"is_active": False})
    assert (made.data["status"], post_round()) == ("inactive", [])
    on = call(shop.admin).patch(f"{USERS}{made.data['id']}/", {"is_active": True})
    assert on.data["status"] == "invited"
    assert len(post_round()) == 1


def test_a_password_from_the_admin_ends_the_invitation(call: Any, shop: Any) -> None:
    user, token = invited(call, shop)
    changed = call(shop.admin).patch(f"{USERS}{user.pk}/", {"password": NEW})
    assert changed.data["status"] == "active"
    assert call().post(ACCEPT, {"token": token, "password": "a third horse battery"}).status_code == 400


@pytest.mark.parametrize("change", [{"is_active": False}, "delete"])
def test_an_invitation_taken_back(change: Any, call: Any, shop: Any) -> None:
    user, token = invited(call, shop)
    if change == "delete":
        assert call(shop.admin).delete(f"{USERS}{user.pk}/").status_code == 204
    else:
        assert call(shop.admin).patch(f"{USERS}{user.pk}/", change).status_code == 200
    assert call().post(ACCEPT, {"token": token, "password": NEW}).status_code == 400


def test_who_is_merely_invited_is_no_admin_yet(call: Any, shop: Any, staff: User) -> None:
    user, _ = invited(call, shop)
    alone = call(staff).patch(f"{USERS}{shop.admin.pk}/", {"is_active": False})
    assert (alone.status_code, alone.data["code"]) == (409, "last_admin")
    assert call(staff).delete(f"{USERS}{user.pk}/").status_code == 204


def test_the_invited_can_be_listed(call: Any, shop: Any) -> None:
    user, _ = invited(call, shop)
    User.everyone.filter(pk=shop.floor_user.pk).update(is_active=False)
    found = {
        status: [row["id"] for row in call(shop.admin).get(USERS, {"status": status}).data["results"]]
        for status in ("invited", "active", "inactive")
    }
    assert found == {"invited": [user.pk], "active": [shop.admin.pk], "inactive": [shop.floor_user.pk]}
    assert call(shop.admin).get(USERS, {"status": "boss"}).status_code == 400


def test_invitations_are_limited(call: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttling.LIMITS, "invite.client", throttling.Limit(2, 3600))
    user, _ = invited(call, shop)
    answers = [call(shop.admin).post(f"{USERS}{user.pk}/invite/") for _ in range(2)]
    answers.append(call(shop.admin).post(USERS, GUEST | {"email": "other@example.com"}))
    assert [answer.status_code for answer in answers] == [202, 429, 429]
    with_password = GUEST | {"email": "other@example.com", "password": NEW}
    assert call(shop.admin).post(USERS, with_password).status_code == 201


# --- forgotten passwords -----------------------------------------------------------------------------------


def test_from_the_forgotten_password_to_the_new_one(call: Any, shop: Any) -> None:
    old = call().post(LOGIN, {"email": shop.admin.email, "password": PASSWORD}).data
    token = reset_token(call, shop.admin)
    weak = call().post(CONFIRM, {"token": token, "password": "short"})
    assert field_codes(weak) == [("password", "password_too_short")]

    answer = call().post(CONFIRM, {"token": token, "password": NEW})
    assert (answer.status_code, answer.content) == (204, b"")
    theirs = call()
    theirs.credentials(HTTP_AUTHORIZATION=f"Bearer {old['access']}")
    assert theirs.get("/api/auth/me/").status_code == 401
    assert call().post("/api/auth/refresh/", {"refresh": old["refresh"]}).status_code == 401
    assert call().post(LOGIN, {"email": shop.admin.email, "password": PASSWORD}).status_code == 401
    assert call().post(LOGIN, {"email": shop.admin.email, "password": NEW}).status_code == 200

    again = call().post(CONFIRM, {"token": token, "password": "a third horse battery"})
    assert (again.status_code, again.data["code"]) == (400, "link_invalid")
    asked, done = trail("password_reset_requested", "password_reset")
    assert (asked.actor, asked.client_id, asked.details) == (
        "anonymous",
        shop.client.pk,
        {"account": shop.admin.email},
    )
    assert (done.actor, done.resource_id) == (shop.admin.username, str(shop.admin.pk))
    assert NEW not in raw_trail()
    assert token not in raw_trail()


def test_of_several_links_the_first_used_ends_the_others(call: Any, shop: Any) -> None:
    tokens = [reset_token(call, shop.floor_user) for _ in range(3)]
    answers = [call().post(CONFIRM, {"token": token, "password": NEW + token[:2]}) for token in tokens[::-1]]
    assert [answer.status_code for answer in answers] == [204, 400, 400]


def test_a_sign_in_ends_the_link(call: Any, shop: Any) -> None:
    token = reset_token(call, shop.admin)
    call().post(LOGIN, {"email": shop.admin.email, "password": PASSWORD})
    assert call().post(CONFIRM, {"token": token, "password": NEW}).status_code == 400


def test_a_link_runs_out(call: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    token = reset_token(call, shop.admin)
    later = clock.now() + timedelta(hours=1, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert call().post(CONFIRM, {"token": token, "password": NEW}).status_code == 400


def test_an_invitation_is_no_reset_and_the_other_way_round(call: Any, shop: Any) -> None:
    _, invitation = invited(call, shop)
    reset = reset_token(call, shop.admin)
    assert call().post(CONFIRM, {"token": invitation, "password": NEW}).status_code == 400
    assert call().post(ACCEPT, {"token": reset, "password": NEW}).status_code == 400


def test_a_reset_does_not_tell_who_is_here(call: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, password, salt: hashed.append(password))
    User.everyone.filter(pk=shop.floor_user.pk).update(is_active=False)
    seen = []
    for address in (shop.admin.email, shop.floor_user.email, "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answer = call().post(RESET, {"email": address})
        body = {name: value for name, value in answer.json().items() if name != "request_id"}
        # The audit trail reads the name of a known person's business besides: one look-up by key.
        kinds = [kind for query in queries if (kind := query["sql"].split()[0]) != "SELECT"]
        seen.append(
            (answer.status_code, body, sorted(answer.headers), kinds, len(OutgoingMail.objects.all()))
        )
    assert [row[:4] for row in seen] == [seen[0][:4]] * 3
    assert [row[4] for row in seen] == [1, 2, 3], "each leaves a row to look at later"
    assert hashed == []
    assert [mail.to for mail in post_round()] == [[shop.admin.email]]


def test_an_account_with_no_password_yet_gets_its_invitation(call: Any, shop: Any) -> None:
    user, _ = invited(call, shop)
    assert call().post(ACCEPT, {"token": reset_token(call, user), "password": NEW}).status_code == 200


def test_resets_of_one_address_are_limited_from_everywhere(
    call: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(throttling.LIMITS, "reset.account", throttling.Limit(2, 3600))
    for address in (shop.admin.email, "nobody@example.com"):
        answers = [
            call().post(RESET, {"email": typed}, REMOTE_ADDR=f"192.0.2.{number}")
            for number, typed in enumerate([address, address.upper(), address])
        ]
        assert [answer.status_code for answer in answers] == [202, 202, 429], address
        assert int(answers[-1]["Retry-After"]) > 0


def test_resets_from_one_source_are_limited(call: Any, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(throttling.LIMITS, "reset.address", throttling.Limit(2, 3600))
    answers = [call().post(RESET, {"email": f"guess{n}@example.com"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]


@pytest.mark.parametrize("route", [ACCEPT, CONFIRM])
def test_guesses_of_tokens_are_limited(
    route: str, call: Any, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(throttling.LIMITS, "link.address", throttling.Limit(2, 900))
    answers = [call().post(route, {"token": f"guess{n}", "password": NEW}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]


@pytest.mark.parametrize("body", [{}, {"email": ""}, {"email": "no address"}, {"email": "a\x00@example.com"}])
def test_what_is_no_address(body: Any, call: Any, db: None) -> None:
    answer = call().post(RESET, body)
    assert (answer.status_code, field_codes(answer)[0][0]) == (400, "email")
    assert trail() == []


def test_people_of_a_locked_business_get_in_too(call: Any, shop: Any) -> None:
    user, token = invited(call, shop)
    Client._base_manager.filter(pk=shop.client.pk).update(status="suspended")
    assert call().post(ACCEPT, {"token": token, "password": NEW}).status_code == 200
    reset = reset_token(call, shop.admin)
    assert call().post(CONFIRM, {"token": reset, "password": NEW}).status_code == 204
    again = call(user).post(f"{USERS}{shop.floor_user.pk}/invite/")
    assert again.status_code in {401, 403}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["invitation", "reset"])
def test_one_link_used_three_times_at_once(kind: str, call: Any, shop: Any) -> None:
    route, token = CONFIRM, ""
    if kind == "invitation":
        route, (_, token) = ACCEPT, invited(call, shop)
    else:
        token = reset_token(call, shop.admin)

    def use(number: int) -> Any:
        return lambda: call().post(route, {"token": token, "password": f"{NEW} {number}"}).status_code

    assert sorted(at_once(*(use(number) for number in range(3)))) == [
        200 if kind == "invitation" else 204,
        400,
        400,
    ]


@pytest.mark.django_db(transaction=True)
def test_the_job_follows_the_commit_and_its_failure_fails_no_request(
    call: Any, shop: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = "users.tests.test_mail.Down"
    ran: list[int] = []

    def at_the_spot(task: Any, ids: tuple[int, ...], missed: Any) -> None:
        ran.extend(ids)
        task(*ids)

    monkeypatch.setattr("common.jobs._start", at_the_spot)
    assert call(shop.admin).post(USERS, GUEST).status_code == 201
    (mail,) = OutgoingMail.objects.all()
    assert (ran, mail.attempts, mail.address) == ([mail.pk], 1, "grace@example.com")
