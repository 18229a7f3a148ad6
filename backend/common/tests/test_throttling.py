"""Attempts are counted per window, key and address block."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from common.context import Actor, acting_as
from common.errors import Refusal
from common.throttling import LIMITS, Limit, caller_address, counting, forgive, rate_headers, spend

START = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _three_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "test", Limit(most=3, per_s=60))


def refused(key: str, now: datetime) -> str | None:
    """Code and Retry-After of a refused attempt, None when it was let through."""
    try:
        spend("test", key, now=now)
    except Refusal as refusal:
        return f"{refusal.code} {refusal.members['headers']['Retry-After']}"
    return None


def test_the_fourth_attempt_in_a_window_waits_for_the_next() -> None:
    assert [refused("a", START) for _ in range(4)] == [None, None, None, "rate_limited 50"]
    assert refused("a", START + timedelta(seconds=49.5)) == "rate_limited 1"
    assert refused("b", START) is None
    assert refused("a", START + timedelta(seconds=50)) is None


def test_a_success_forgets_the_attempts_of_its_key_only() -> None:
    for key in ("a", "b"):
        assert [refused(key, START) for _ in range(3)] == [None] * 3
    forgive("test", "a", now=START)
    assert refused("a", START) is None
    assert refused("b", START) == "rate_limited 50"


@pytest.mark.parametrize("key", ["", "x" * 5000, "spaces and\ncontrol \x01", "ключ"])
def test_any_text_can_be_a_key(key: str) -> None:
    assert [refused(key, START) for _ in range(4)][2:] == [None, "rate_limited 50"]


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        (None, "unknown"),
    ],
)
def test_an_address_is_counted_by_what_one_subscriber_has(address: str | None, block: str) -> None:
    with acting_as(Actor(ip_address=address)):
        assert caller_address() == block


def test_what_was_spent_is_told_in_headers() -> None:
    now = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
    with counting():
        assert rate_headers() == {}
        spend("login.address", "1.2.3.4", now=now)
        spend("login.account", "a", now=now)
        spend("login.account", "a", now=now)
        assert rate_headers() == {
            "RateLimit-Policy": '"login.address";q=100;w=900, "login.account";q=10;w=900',
            "RateLimit": '"login.address";r=99;t=300, "login.account";r=8;t=300',
        }
    assert rate_headers() == {}


@pytest.mark.production
def test_nobody_waits_long_for_a_redis_that_does_not_answer() -> None:
    for waits in (settings.CACHES["default"]["OPTIONS"], settings.CELERY_BROKER_TRANSPORT_OPTIONS):
        assert 0 < waits["socket_timeout"] <= 5
        assert 0 < waits["socket_connect_timeout"] <= 5
