"""Pairing codes and polling, in the shape of RFC 8628 (device authorization grant). Pure.

A user code has 8 letters of an alphabet without vowels and look-alikes, as RFC 8628 §6.1 recommends: about
2^34 codes, spoken in two groups of four. It lives ten minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
CODE_LENGTH = 8
LIFETIME = timedelta(minutes=10)
POLL_EVERY_S = 5
SLOWER_BY_S = 5
"""RFC 8628 §3.5: `slow_down` lengthens the interval by 5 seconds, for this and all later requests."""

Answer = Literal["authorization_pending", "slow_down", "expired_token", "access_denied", "granted"]


def user_code(pick: Callable[[str], str]) -> str:
    """A new code; `pick` draws one letter of an alphabet (`secrets.choice`)."""
    return "".join(pick(ALPHABET) for _ in range(CODE_LENGTH))


def typed(code: str) -> str:
    """A code as a person typed it, in the form it is stored: capitals, without spaces and dashes."""
    return "".join(letter for letter in code.upper() if letter.isalnum())


def shown(code: str) -> str:
    """A code as it is shown: two groups of four."""
    return f"{code[:4]}-{code[4:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What a poll gets, and the interval that holds from now on."""

    answer: Answer
    interval_s: int


def poll(
    *,
    now: datetime,
    expires_at: datetime,
    last_polled_at: datetime | None,
    interval_s: int,
    claimed: bool,
    fetched: bool,
) -> Poll:
    """RFC 8628 §3.5. A token is granted once: whoever asks again is too late.

    A poll may come a quarter of a second early without being told to slow down, for networks jitter.
    """
    if fetched:
        return Poll(answer="access_denied", interval_s=interval_s)
    if now >= expires_at and not claimed:
        return Poll(answer="expired_token", interval_s=interval_s)
    hurried = last_polled_at is not None and now - last_polled_at < timedelta(seconds=interval_s - 0.25)
    if hurried:
        return Poll(answer="slow_down", interval_s=interval_s + SLOWER_BY_S)
    return Poll(answer="granted" if claimed else "authorization_pending", interval_s=interval_s)
