"""What HTTP promises holds on every route: retries act once, nobody's change is lost, limits are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client as HttpClient
from redis import ConnectionError as RedisConnectionError
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from common.openapi import ScopedSchemaGenerator
from common.throttling import LIMITS, ROUTES, Limit
from conftest import Business
from core.tests.test_permissions import LINES, Line, example, methods, routes
from core.tests.things import signed_in, things_of
from zones.models import Floor

pytestmark = pytest.mark.django_db

DOCUMENT: Any = ScopedSchemaGenerator().get_schema(public=True)


# --- retries ---------------------------------------------------------------------------------------------


def posts() -> Iterator[tuple[Any, str]]:
    """The view class and the action of every POST route."""
    for _, pattern in routes():
        view: Any = pattern.callback
        if "POST" in methods(pattern):
            yield (
                getattr(view, "cls", None) or view.view_class,
                getattr(view, "actions", {}).get("post", "post"),
            )


def test_every_post_takes_an_idempotency_key_or_says_why_not() -> None:
    for path, item in DOCUMENT["paths"].items():
        if "post" in item:
            names = {parameter["name"] for parameter in item["post"].get("parameters", ())}
            assert ("Idempotency-Key" in names) == ({"409", "422"} <= item["post"]["responses"].keys()), path
    exempt = {
        (view, action): view.repeatable[action] for view, action in posts() if action in view.repeatable
    }
    assert all(len(reason) > 20 for reason in exempt.values())
    assert len(exempt) < 15, "the list of reasons is a short one"
    for view in {view for view, _ in posts()}:
        assert view.repeatable.keys() <= {action for other, action in posts() if other is view}, "stale"


@pytest.fixture
def api(shop: Business) -> APIClient:
    """Signed in as the client admin."""
    return signed_in(RefreshToken.for_user(shop.admin).access_token)


def test_a_retried_post_makes_one_thing(api: APIClient, shop: Business, everything: None) -> None:
    headers = {"Idempotency-Key": "one"}
    first = api.post("/api/floors/", {"name": "Cellar"}, headers=headers)
    again = api.post("/api/floors/", {"name": "Cellar"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Floor.objects.filter(name="Cellar").count() == 1
    other = api.post("/api/floors/", {"name": "Roof"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_token_is_shown_again_to_its_caller_alone(api: APIClient, shop: Business, call: Any) -> None:
    path, headers = f"/api/devices/{shop.devices[0].pk}/rotate-token/", {"Idempotency-Key": "one"}
    first, again = api.post(path, headers=headers), api.post(path, headers=headers)
    assert first.json() == again.json()
    colleague = call(shop.floor_user).post(path, headers=headers)
    assert colleague.status_code == 403


# --- concurrent changes ----------------------------------------------------------------------------------

UNVERSIONED = {
    "/api/auth/me/avatar/": "a picture is replaced whole, and nobody edits it",
    "/api/users/{id}/avatar/": "a picture is replaced whole, and nobody edits it",
}
"""Paths whose thing is set or removed, but not changed, and why nothing is lost."""

CHANGES = [
    line
    for line in LINES
    if line.method in ("PATCH", "PUT", "DELETE")
    and f"/api/{re.sub('{.*?}', '{id}', line.path)}" not in UNVERSIONED
]


def test_every_row_that_can_be_changed_has_a_version() -> None:
    assert UNVERSIONED.keys() <= DOCUMENT["paths"].keys(), "stale"
    for path, item in DOCUMENT["paths"].items():
        if path in UNVERSIONED:
            continue
        for method in item.keys() & {"patch", "put", "delete"}:
            told = item[method]
            assert "If-Match" in {parameter["name"] for parameter in told["parameters"]}, (method, path)
            assert "412" in told["responses"], (method, path)
            assert "get" in item, path
        if item.keys() & {"patch", "put", "delete"}:
            read = item["get"]
            assert "If-None-Match" in {parameter["name"] for parameter in read["parameters"]}, path
            assert "304" in read["responses"], path
            assert "ETag" in read["responses"]["200"]["headers"], path


@pytest.mark.parametrize("line", CHANGES, ids=lambda line: f"{line.method} {line.path}")
def test_a_change_of_another_version_is_refused(line: Line, shop: Business, staff: Any) -> None:
    things = things_of(shop, 0, "nobody", "")
    path, body = line.url.format_map(things.values), things.fill(line.body)
    for person in (shop.admin, staff):
        caller = signed_in(RefreshToken.for_user(person).access_token)
        read = caller.get(path)
        if read.status_code == 200:
            break
    etag = read["ETag"]
    known = caller.get(path, headers={"If-None-Match": etag})
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", etag)
    assert caller.get(path, headers={"If-None-Match": '"another"'}).status_code == 200

    def change(version: str) -> Any:
        return caller.generic(
            line.method,
            path,
            caller._encode_data(body, "json")[0] if body is not None else "",
            content_type="application/json",
            headers={"If-Match": version},
        )

    stale = change('"another.version"')
    assert (stale.status_code, stale.json()["code"], stale["ETag"]) == (412, "precondition_failed", etag)
    assert change(f"W/{etag}").status_code == 412, "a weak tag matches nothing (RFC 9110 §13.1.1)"
    done = change(f'"other", {etag}')
    assert done.status_code in (200, 202, 204), done.content
    if done.status_code == 200:
        assert done["ETag"].partition(".")[0] == caller.get(path)["ETag"].partition(".")[0]


def test_what_the_server_notes_by_itself_makes_no_change_stale(
    api: APIClient, shop: Business, everything: None
) -> None:
    path = f"/api/devices/{shop.devices[0].pk}/"
    etag = api.get(path)["ETag"]
    type(shop.devices[0]).objects.filter(pk=shop.devices[0].pk).update(software="2.0")
    assert api.get(path, headers={"If-None-Match": etag}).status_code == 200, "a reader sees it"
    assert api.patch(path, {"name": "Till"}, headers={"If-Match": etag}).status_code == 200
    assert api.patch(path, {"name": "Door"}, headers={"If-Match": etag}).status_code == 412


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_of_one_version_one_is_made(shop: Business) -> None:
    path = f"/api/floors/{shop.floors[0].pk}/"
    token = RefreshToken.for_user(shop.admin).access_token
    etag = signed_in(token).get(path)["ETag"]
    start = Barrier(4)

    def change(number: int) -> int:
        try:
            start.wait()
            answer = signed_in(token).patch(path, {"name": f"Floor {number}"}, headers={"If-Match": etag})
            return answer.status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, range(4))) == [200, 412, 412, 412]


# --- limits ----------------------------------------------------------------------------------------------


def test_limits_are_told_with_every_counted_answer(client: HttpClient, shop: Business) -> None:
    wrong = {"email": shop.admin.email, "password": "not this one"}
    ask: Callable[[], Any] = lambda: client.post("/api/auth/login/", wrong, "application/json")  # noqa: E731
    most = LIMITS["login.account"].most
    for spent in range(1, most + 1):
        answer = ask()
        assert answer.status_code == 401
        assert f'"login.account";r={most - spent};t=' in answer["RateLimit"]
    refused = ask()
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= LIMITS["login.account"].per_s
    assert f'"login.account";q={most};w={LIMITS["login.account"].per_s}' in refused["RateLimit-Policy"]
    assert '"login.account";r=0;t=' in refused["RateLimit"]


def test_every_call_is_counted_by_its_caller(api: APIClient, call: Any, shop: Business) -> None:
    assert '"read.user"' in api.get("/api/floors/")["RateLimit"]
    assert '"write.user"' in api.post("/api/floors/", {"name": "Cellar"})["RateLimit"]
    assert '"refused.address"' in call().get("/api/floors/")["RateLimit"]
    assert '"call.address"' in call().post("/api/auth/refresh/", {"refresh": "x"})["RateLimit"]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every limit is two, in a window that does not end."""
    for name in LIMITS:
        monkeypatch.setitem(LIMITS, name, Limit(2, 10**9))


@pytest.mark.once("production")
@pytest.mark.usefixtures("few")
def test_no_route_is_without_a_limit(shop: Business, staff: Any) -> None:
    """As whoever may not even call it: the third time is too much."""
    for line in LINES:
        url = example(line.url)
        for caller in (signed_in(RefreshToken.for_user(shop.floor_user).access_token), APIClient()):
            answers = [caller.generic(line.method, url) for _ in range(3)]
            assert [answer.status_code == 429 for answer in answers] == [False, False, True], (
                line.method,
                url,
                [answer.status_code for answer in answers],
            )
            assert answers[2]["Retry-After"]
            cache.clear()


@pytest.mark.usefixtures("few")
def test_one_caller_s_calls_are_not_another_s(shop: Business) -> None:
    def ask(person: Any) -> int:
        caller = signed_in(RefreshToken.for_user(person).access_token)
        return int(caller.get("/api/auth/me/").status_code)

    assert [ask(shop.admin) for _ in range(3)] == [200, 200, 429]
    assert ask(shop.floor_user) == 200


def test_the_table_of_routes_is_not_stale() -> None:
    there = {f"{method} {pattern.name}" for _, pattern in routes() for method in methods(pattern)}
    assert ROUTES.keys() <= there
    assert set(ROUTES.values()) <= LIMITS.keys()


def test_a_cache_that_is_away_shuts_nobody_out(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisConnectionError("away")

    monkeypatch.setattr("common.throttling._counted", away)
    assert api.get("/api/floors/").status_code == 200
    assert "was not counted" in caplog.text


def test_a_browser_may_send_and_read_these_headers(client: HttpClient, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    asked = {
        "Origin": "https://app.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key,if-match",
    }
    allowed = client.options("/api/floors/", headers=asked)["Access-Control-Allow-Headers"]
    assert {"idempotency-key", "if-match", "if-none-match"} <= set(allowed.split(", "))
    exposed = client.get("/api/floors/", headers={"Origin": "https://app.example.com"})[
        "Access-Control-Expose-Headers"
    ]
    assert {"ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "Idempotency-Replayed"} <= set(
        exposed.split(", ")
    )
