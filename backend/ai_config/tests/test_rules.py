"""Money and the circuit breaker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_config.domain.breaker import CLOSED, HALF_OPEN, LONGEST_REST, OPEN, Breaker, after_failure
from ai_config.domain.money import cents_up, copy_cost, speech_cost, to_microusd, to_usd

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("characters", "price", "microusd"),
    [(0, "0.30", 0), (1, "0.30", 300), (1, "0.000001", 1), (1000, "0.015", 15_000), (333, "0.0001", 34)],
)
def test_speech_costs(characters, price, microusd):
    assert speech_cost(characters, per_1000_characters=Decimal(price)) == microusd


def test_copy_costs():
    prices = {"per_1000_input": Decimal("0.00015"), "per_1000_output": Decimal("0.0006")}
    assert copy_cost(100, 20, **prices) == 27
    assert copy_cost(1, 0, **prices) == 1
    assert copy_cost(0, 0, **prices) == 0


@pytest.mark.parametrize(
    ("microusd", "usd", "cents"),
    [(0, "0", "0.00"), (1, "0.000001", "0.01"), (10_000, "0.01", "0.01"), (10_001, "0.010001", "0.02")],
)
def test_dollars(microusd, usd, cents):
    assert to_usd(microusd) == Decimal(usd)
    assert cents_up(microusd) == Decimal(cents)


@given(st.decimals(0, 10**6, places=9))
def test_rounding_is_up_and_by_less_than_a_millionth(usd):
    assert Decimal(0) <= to_usd(to_microusd(usd)) - usd < Decimal("0.000001")


def fail(breaker, *codes, retry_after_s=None, now=NOW):
    """After these failures."""
    for code in codes:
        breaker = after_failure(breaker, code, retry_after_s=retry_after_s, now=now)
    return breaker


@pytest.mark.parametrize(
    ("codes", "retry_after_s", "rest_s"),
    [
        (["unavailable"], None, None),
        (["unavailable", "timed_out"], None, None),
        (["unavailable", "timed_out", "broken_audio"], None, 30),
        (["refused"] * 9, None, None),
        (["voice_unknown"] * 9, None, None),
        (["unavailable", "refused", "unavailable"], None, None),
        (["unauthorized"], None, 900),
        (["exhausted"], None, 3600),
        (["rate_limited"], None, 30),
        (["rate_limited"], 17, 17),
        (["rate_limited"], 86_400, 3600),
        (["rate_limited"], -5, 0),
        (["unavailable"], 17, 17),
    ],
)
def test_when_it_opens(codes, retry_after_s, rest_s):
    opened = fail(Breaker(), *codes, retry_after_s=retry_after_s)
    assert opened.open_until == (None if rest_s is None else NOW + timedelta(seconds=rest_s))
    assert opened.state(NOW) == (CLOSED if rest_s is None else OPEN if rest_s else HALF_OPEN)


def test_a_rest_ends_half_open_and_the_next_is_longer_up_to_an_hour():
    breaker, rests = fail(Breaker(), "unavailable", "unavailable"), []
    for _ in range(10):
        breaker = fail(breaker, "unavailable", now=NOW)
        rests.append((breaker.open_until - NOW).total_seconds())
        assert breaker.state(breaker.open_until - SECOND) == OPEN
        assert breaker.state(breaker.open_until) == HALF_OPEN
    assert rests[:4] == [30, 60, 120, 240]
    assert rests[-1] == LONGEST_REST.total_seconds()


def test_a_probe_that_is_refused_has_found_it_alive():
    resting = fail(Breaker(), "unauthorized")
    assert fail(resting, "refused") == Breaker()
