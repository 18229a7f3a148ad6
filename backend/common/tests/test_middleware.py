"""The border of a request: which id and address it gets, and that it starts as nobody in no scope."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from common.context import Actor, current_actor
from common.middleware import RequestContextMiddleware, address_of, request_id_of
from common.tenancy import OutsideScope, current_scope, system_scope


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("abcd1234", True),
        ("550e8400-e29b-41d4-a716-446655440000", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("short", False),
        ("", False),
        (None, False),
        ("line\nbreak1", False),
        ("<script>alert", False),
    ],
)
def test_a_harmless_request_id_is_kept(offered: str | None, kept: bool) -> None:
    assert (request_id_of(offered) == offered) is kept
    assert len(request_id_of(offered)) >= 8


def test_fresh_ids_differ() -> None:
    assert request_id_of(None) != request_id_of(None)


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("192.0.2.1", None, 0, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", 0, "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9", 2, "203.0.113.9"),
        ("10.0.0.1", None, 1, "10.0.0.1"),
        ("10.0.0.1", "unknown", 1, None),
        ("2001:db8::1", None, 0, "2001:db8::1"),
        ("[2001:db8::1]", None, 0, "2001:db8::1"),
        ("/run/app.sock", None, 0, None),
        (None, None, 0, None),
    ],
)
def test_the_address_cannot_be_forged(
    peer: str | None, forwarded: str | None, proxies: int, expected: str | None
) -> None:
    assert address_of(peer=peer, forwarded_for=forwarded, trusted_proxies=proxies) == expected


def test_a_request_starts_as_nobody_in_no_scope_and_leaves_none(rf: RequestFactory, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    seen: list[Actor] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(current_actor())
        with pytest.raises(OutsideScope):
            current_scope()
        return HttpResponse()

    request = rf.get("/", headers={"X-Request-ID": "abcd1234", "X-Forwarded-For": "203.0.113.9"})
    with system_scope("what the server was doing before"):
        response = RequestContextMiddleware(view)(request)
        assert current_scope() is not None
    assert seen == [Actor(name="anonymous", ip_address="203.0.113.9", request_id="abcd1234")]
    assert response["X-Request-ID"] == "abcd1234"
    assert current_actor() == Actor()
