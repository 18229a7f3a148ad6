"""Idempotency keys: what a retry gets, and that the work is done once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from common import clock, idempotency
from common.errors import Refusal
from common.models import IdempotencyRecord
from core import retention

DONE: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    DONE.clear()


def handle(request: Request) -> Response:
    DONE.append(request.data)
    return Response({"number": len(DONE)}, status=201)


def handle_badly(request: Request) -> Response:
    DONE.append(request.data)
    raise Refusal("quiet_hours", "Not now.")


def act(request: Request, handler: Any = handle, route: str = "play/<pk>/") -> Response:
    """The answer to this request."""
    answer: Response = idempotency.idempotent(handler, caller=f"user:{request.user.pk}", route=route)(request)
    return answer


def refuse(request: Request) -> Response:
    return act(request, handle_badly)


def post(body: Any, key: str | None = "k-1", user: int = 1, path: str = "/play/") -> Request:
    headers = {} if key is None else {idempotency.HEADER: key}
    request = Request(
        APIRequestFactory().post(path, body, format="json", headers=headers), parsers=[JSONParser()]
    )
    request.user = SimpleNamespace(pk=user, is_active=True)
    return request


def code_of(handler: Any, request: Request) -> str:
    with pytest.raises(Refusal) as refused:
        handler(request)
    return refused.value.code


@pytest.mark.django_db
def test_a_retry_gets_the_first_answer() -> None:
    first, retry = act(post({"a": 1, "b": 2})), act(post({"b": 2, "a": 1}))
    assert len(DONE) == 1
    assert (retry.status_code, retry.data) == (first.status_code, first.data) == (201, {"number": 1})
    assert "Idempotency-Replayed" not in first
    assert retry["Idempotency-Replayed"] == "true"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [post({"a": 1}, key="k-2"), post({"a": 1}, user=2), post({"a": 1}, key=None)],
    ids=["another key", "another caller", "no key"],
)
def test_other_requests_act(other: Request) -> None:
    act(post({"a": 1}))
    act(other)
    assert len(DONE) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other", [post({"a": 2}), post({"a": 1}, path="/stop/"), post({"a": 1}, path="/play/?x=1")]
)
def test_another_request_under_the_same_key_is_refused(other: Request) -> None:
    act(post({"a": 1}))
    assert code_of(act, other) == "idempotency_key_reused"
    assert len(DONE) == 1


@pytest.mark.django_db
def test_each_route_has_keys_of_its_own() -> None:
    act(post({"a": 1}))
    act(post({"a": 1}), route="stop/<pk>/")
    assert len(DONE) == 2


@pytest.mark.django_db
def test_an_answer_is_kept_encrypted() -> None:
    act(post({}), lambda request: Response({"token": "shown once"}, status=201))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM idempotency_records")
        assert "shown once" not in repr(cursor.fetchall())
    assert act(post({})).data == {"token": "shown once"}


def upload(content: bytes, name: str = "a.mp3", **fields: Any) -> Request:
    body = {"file": SimpleUploadedFile(name, content), **fields}
    made = APIRequestFactory().post("/upload/", body, format="multipart", headers={idempotency.HEADER: "k-1"})
    request = Request(made, parsers=[MultiPartParser()])
    request.user = SimpleNamespace(pk=1, is_active=True)
    return request


@pytest.mark.django_db
def test_a_file_is_known_by_its_content() -> None:
    read: list[bytes] = []

    def keep(request: Request) -> Response:
        read.append(request.data["file"].read())
        return Response({"number": len(read)}, status=201)

    assert act(upload(b"one")).data == act(upload(b"one")).data
    assert code_of(act, upload(b"two")) == "idempotency_key_reused"
    assert code_of(act, upload(b"one", "b.mp3")) == "idempotency_key_reused"
    assert code_of(act, upload(b"one", name_given="x")) == "idempotency_key_reused"
    act(upload(b"three"), keep, route="music/upload/")
    assert read == [b"three"], "the handler reads the file from its beginning"


@pytest.mark.django_db
def test_a_refused_request_releases_its_key() -> None:
    assert code_of(refuse, post({})) == code_of(refuse, post({})) == "quiet_hours"
    assert act(post({})).status_code == 201


@pytest.mark.django_db
def test_while_the_first_runs_a_retry_waits_and_a_dead_first_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    act(post({}))
    IdempotencyRecord.objects.update(status=0)
    assert code_of(act, post({})) == "idempotency_in_progress"
    later = clock.now() + idempotency.GIVEN_UP_AFTER + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert act(post({})).data == {"number": 2}


@pytest.mark.django_db
def test_after_a_day_the_key_is_free_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    act(post({}))
    later = clock.now() + idempotency.KEPT_FOR + timedelta(seconds=1)
    retention.forget_old(now=later - timedelta(seconds=2))
    assert IdempotencyRecord.objects.count() == 1
    monkeypatch.setattr(clock, "now", lambda: later)
    assert act(post({"a": 1})).data == {"number": 2}
    retention.forget_old(now=later + idempotency.KEPT_FOR + timedelta(seconds=1))
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "good"), [("", False), ("x", True), ("x" * 255, True), ("x" * 256, False)])
def test_how_long_a_key_may_be(key: str, good: bool) -> None:
    if good:
        assert act(post({}, key=key)).status_code == 201
    else:
        assert code_of(act, post({}, key=key)) == "validation_failed"


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_acts() -> None:
    start = Barrier(6)

    def call(number: int) -> str:
        start.wait()
        try:
            return str(act(post({})).status_code)
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(call, range(6)))
    assert len(DONE) == 1
    assert set(answers) <= {"201", "idempotency_in_progress"}


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans()))
def test_the_fingerprint_ignores_the_order_of_members(body: dict[str, Any]) -> None:
    backwards = dict(reversed(body.items()))
    assert idempotency.fingerprint_of("POST", "/", body) == idempotency.fingerprint_of("POST", "/", backwards)
    assert idempotency.fingerprint_of("PUT", "/", body) != idempotency.fingerprint_of("POST", "/", body)
