"""Errors: what each exception becomes, that every code raised is a known one, and that nothing inside shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.test import Client as HttpClient
from django.test import RequestFactory
from rest_framework import exceptions as drf
from rest_framework_simplejwt.exceptions import InvalidToken

from common.context import Actor, acting_as
from common.errors import CODES, CONTENT_TYPE, Refusal, exception_handler, problem, server_error_view

BACKEND = Path(__file__).parents[2]


def answered(exc: Exception) -> Any:
    response = exception_handler(exc, {})
    assert response is not None
    assert response.content_type == CONTENT_TYPE
    assert response.data["status"] == response.status_code
    return response


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (Refusal("quiet_hours", "No."), 409, "quiet_hours"),
        (Refusal("trial_ended", "No."), 402, "trial_ended"),
        (DjangoValidationError("No."), 400, "validation_failed"),
        (drf.ValidationError({"name": ["No."]}), 400, "validation_failed"),
        (drf.ParseError(), 400, "malformed"),
        (drf.NotAuthenticated(), 401, "not_authenticated"),
        (drf.AuthenticationFailed(), 401, "token_invalid"),
        (drf.PermissionDenied(), 403, "permission_denied"),
        (PermissionDenied(), 403, "permission_denied"),
        (Http404(), 404, "not_found"),
        (drf.NotFound(), 404, "not_found"),
        (drf.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (drf.NotAcceptable(), 406, "not_acceptable"),
        (drf.UnsupportedMediaType("text/x"), 415, "unsupported_media_type"),
        (drf.Throttled(wait=3), 429, "rate_limited"),
        (DataError("value too long: users.email"), 400, "validation_failed"),
        (IntegrityError("UNIQUE constraint failed: users.email"), 409, "conflict"),
        (OperationalError("the server closed the connection: users.email"), 503, "unavailable"),
        (InterfaceError("connection already closed"), 503, "unavailable"),
        (redis.ConnectionError("Connection refused"), 503, "unavailable"),
        (redis.TimeoutError("Timeout reading from socket"), 503, "unavailable"),
    ],
)
def test_what_an_exception_becomes(exc: Exception, status: int, code: str) -> None:
    response = answered(exc)
    assert (response.status_code, response.data["code"]) == (status, code)
    assert response.data["type"] == f"urn:sync2gear:problem:{code}"
    assert response.data["title"] == CODES[code].title
    assert "users.email" not in str(response.data)


def test_a_wrapped_sentence_comes_out_whole() -> None:
    assert answered(InvalidToken("Two values, please.")).data["detail"] == "Two values, please."


def test_an_unforeseen_exception_is_left_to_django() -> None:
    assert exception_handler(ZeroDivisionError(), {}) is None


def test_throttled_says_when_to_come_back() -> None:
    assert answered(drf.Throttled(wait=3))["Retry-After"] == "3"


@pytest.mark.parametrize(
    ("detail", "fields"),
    [
        ({"name": ["a", "b"]}, ["name", "name"]),
        ({"non_field_errors": ["a"]}, [None]),
        ({"floor": {"name": ["a"]}}, ["floor.name"]),
        ({"items": [{}, {"order": ["a"]}]}, ["items.1.order"]),
        (["a"], [None]),
    ],
)
def test_validation_errors_are_flat(detail: Any, fields: list[str | None]) -> None:
    body = answered(drf.ValidationError(detail)).data
    assert [error["field"] for error in body["errors"]] == fields
    assert body["detail"].endswith("(and 1 more)") == (len(fields) > 1)


def test_a_refusal_names_its_field_and_carries_members_and_headers() -> None:
    refusal = Refusal("floor_limit", "Two.", field="name", floors_allowed=2, headers={"Retry-After": "9"})
    response = answered(refusal)
    assert response.data["errors"] == [{"field": "name", "code": "floor_limit", "detail": "Two."}]
    assert response.data["floors_allowed"] == 2
    assert "headers" not in response.data
    assert response["Retry-After"] == "9"


def test_the_request_is_named() -> None:
    assert "request_id" not in problem("not_found", "x")
    with acting_as(Actor(request_id="abc12345")):
        assert problem("not_found", "x")["request_id"] == "abc12345"


def test_an_unknown_code_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        Refusal("no_such_code", "x")


def test_every_code_that_the_source_raises_is_known() -> None:
    raised = re.compile(r"""(?:Refusal|problem|problem_response)\(\s*["']([a-z_]+)["']""")
    sources = [path for path in BACKEND.rglob("*.py") if "tests" not in path.parts]
    unknown = {
        f"{path.relative_to(BACKEND)}: {code}"
        for path in sources
        for code in raised.findall(path.read_text(encoding="utf-8"))
        if code not in CODES
    }
    assert len(sources) > 50
    assert not unknown


def test_statuses_are_those_of_errors() -> None:
    assert {code for code, meaning in CODES.items() if not 400 <= meaning.status <= 599} == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code"),
    [
        ("get", "/nowhere/", {}, "", 404, "not_found"),
        ("get", "/api/nowhere/", {}, "", 404, "not_found"),
        ("get", "/nowhere/", {"Host": "evil.example"}, "", 400, "malformed"),
        ("put", "/api/auth/login/", {}, "{}", 405, "method_not_allowed"),
        ("post", "/api/auth/login/", {}, "{", 400, "malformed"),
        ("post", "/api/auth/login/", {"Content-Type": "text/x"}, "hi", 415, "unsupported_media_type"),
        ("get", "/api/auth/me/", {}, "", 401, "not_authenticated"),
        ("get", "/api/auth/me/", {"Authorization": "Bearer x"}, "", 401, "token_invalid"),
    ],
)
def test_over_http(
    client: HttpClient, method: str, path: str, headers: dict[str, str], body: str, status: int, code: str
) -> None:
    content_type = headers.pop("Content-Type", "application/json")
    response = client.generic(method.upper(), path, body, content_type=content_type, headers=headers)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response["Content-Type"] == CONTENT_TYPE
    assert response.json()["request_id"] == response["X-Request-ID"]
    if status == 401:
        assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.django_db
def test_a_redis_that_is_away_refuses_a_sign_in_and_says_when_to_try_again(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever guesses passwords is counted there."""

    def away(*given: Any) -> int:
        raise redis.ConnectionError("Connection refused")

    monkeypatch.setattr(cache, "incr", away)
    response = client.post("/api/auth/login/", {"email": "a@example.com", "password": "guessed"})
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"] == "5"
    assert "Connection refused" in caplog.text
    assert b"refused" not in response.content


def test_a_failure_of_ours_says_nothing_of_the_inside(rf: RequestFactory) -> None:
    response = server_error_view(rf.get("/"))
    assert response.status_code == 500
    assert b"internal_error" in response.content
