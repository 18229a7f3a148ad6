"""Pairing codes and polling (RFC 8628 §3.5, §6.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from devices.domain import pairing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("expires_at", "polled_s_ago", "interval_s", "claimed", "fetched", "answer", "next_interval_s"),
    [
        (LATER, None, 5, False, False, "authorization_pending", 5),
        (LATER, 5, 5, False, False, "authorization_pending", 5),
        (LATER, 4.8, 5, False, False, "authorization_pending", 5),
        (LATER, 4.7, 5, False, False, "slow_down", 10),
        (LATER, 0, 10, False, False, "slow_down", 15),
        (LATER, 9, 10, False, False, "slow_down", 15),
        (LATER, 10, 10, False, False, "authorization_pending", 10),
        (LATER, None, 5, True, False, "granted", 5),
        (LATER, 5, 5, True, False, "granted", 5),
        (LATER, 1, 5, True, False, "slow_down", 10),
        (NOW, None, 5, False, False, "expired_token", 5),
        (EARLIER, 1, 5, False, False, "expired_token", 5),
        (EARLIER, None, 5, True, False, "granted", 5),
        (LATER, None, 5, True, True, "access_denied", 5),
        (LATER, 0, 5, True, True, "access_denied", 5),
        (EARLIER, None, 5, True, True, "access_denied", 5),
    ],
)
def test_poll(expires_at, polled_s_ago, interval_s, claimed, fetched, answer, next_interval_s):
    polled_at = None if polled_s_ago is None else NOW - timedelta(seconds=polled_s_ago)
    assert pairing.poll(
        now=NOW,
        expires_at=expires_at,
        last_polled_at=polled_at,
        interval_s=interval_s,
        claimed=claimed,
        fetched=fetched,
    ) == pairing.Poll(answer=answer, interval_s=next_interval_s)


def test_a_code_has_eight_letters_without_vowels_and_look_alikes():
    assert pairing.user_code(lambda letters: letters[-1]) == "ZZZZZZZZ"
    assert len(set(pairing.ALPHABET)) == 20
    assert not set(pairing.ALPHABET) & set("AEIOUY01")


@pytest.mark.parametrize(
    "entered", ["BCDFGHJK", "bcdf-ghjk", " bcdf ghjk ", "B C D F – G H J K", "bcdf.ghjk"]
)
def test_a_code_as_people_type_it(entered):
    assert pairing.typed(entered) == "BCDFGHJK"
    assert pairing.shown(pairing.typed(entered)) == "BCDF-GHJK"
