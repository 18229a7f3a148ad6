"""How often somebody may try: fixed windows, counted in the shared cache, declared in one table.

    spend("login.address", caller_address(), now=now)

refuses with 429 `rate_limited` and `Retry-After` once the window is used up. Inside `counting()`, which the API's base
view opens for each request, what was spent is remembered for the headers of the answer: `RateLimit-Policy` and
`RateLimit` of IETF draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache

from common.context import current_actor
from common.crypto import fingerprint
from common.errors import Refusal

MINUTE = 60
HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts in each window of `per_s` seconds."""

    most: int
    per_s: int


LIMITS: dict[str, Limit] = {
    # One account from one address: a guesser is slowed, and cannot lock the owner out from elsewhere.
    "login.account": Limit(10, 15 * MINUTE),
    # Many accounts from one address. A chain of shops may sit behind one address, so it is not low.
    "login.address": Limit(100, 15 * MINUTE),
    "register.address": Limit(20, HOUR),
    # Guesses of the current password with a stolen access token.
    "password.user": Limit(10, 15 * MINUTE),
    # Mails to one address, whoever asks for them; and asking for mails to many.
    "reset.account": Limit(5, HOUR),
    "reset.address": Limit(30, HOUR),
    # Tokens of mailed links. They cannot be guessed; this spares the work of refusing them.
    "link.address": Limit(60, 15 * MINUTE),
    # Pictures of people: each costs a second of work.
    "avatar.user": Limit(30, 15 * MINUTE),
    # Invitations: a chain may set up a hundred people in an afternoon.
    "invite.client": Limit(200, HOUR),
    # A help desk looks into a few dozen businesses; a stolen account of staff shall not walk through all of them.
    "impersonate.user": Limit(60, HOUR),
    # New speakers that ask for a code: a chain may unpack a hundred behind one address.
    "pair.address": Limit(120, HOUR),
    # Entered pairing codes. 20^8 codes and ten minutes each leave a guesser nothing.
    "claim.user": Limit(30, 10 * MINUTE),
    # Each of these makes this server look up a name, or call a machine that the caller names.
    "webhook.target": Limit(60, 10 * MINUTE),
    "webhook.test": Limit(20, 10 * MINUTE),
    "webhook.redeliver": Limit(600, 10 * MINUTE),
    # Each is a real call that somebody pays for.
    "provider_test.user": Limit(20, 10 * MINUTE),
    "speech_preview.user": Limit(30, 10 * MINUTE),
    "draft.user": Limit(20, 10 * MINUTE),
    # Files of the whole audit trail: each reads all of it.
    "export.user": Limit(20, HOUR),
}


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left of one limit: `left` attempts until `reset_s` seconds from now."""

    name: str
    left: int
    reset_s: int


_spent: ContextVar[dict[str, Spent] | None] = ContextVar("sync2gear_spent", default=None)


@contextmanager
def counting() -> Iterator[None]:
    """Remembers what is spent inside the block, for `rate_headers`."""
    token = _spent.set({})
    try:
        yield
    finally:
        _spent.reset(token)


def rate_headers() -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit` of what this request has spent; empty when nothing was counted."""
    spent = list((_spent.get() or {}).values())
    if not spent:
        return {}
    return {
        "RateLimit-Policy": ", ".join(
            f'"{each.name}";q={LIMITS[each.name].most};w={LIMITS[each.name].per_s}' for each in spent
        ),
        "RateLimit": ", ".join(f'"{each.name}";r={each.left};t={each.reset_s}' for each in spent),
    }


def caller_address() -> str:
    """The address the current request is counted under: an IPv4 address, or the /64 of an IPv6 one.

    A home or office is given a whole /64 (RFC 6177), so that its single addresses say nothing.
    """
    address = current_actor().ip_address
    if address is None:
        return "unknown"
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((ip, 64), strict=False))


def spend(name: str, key: str, *, now: datetime) -> None:
    """Counts one attempt of `key` under the limit `name`; one too many raises Refusal `rate_limited`."""
    limit = LIMITS[name]
    place = _place(name, key, now)
    cache.add(place, 0, timeout=limit.per_s)
    try:
        count = cache.incr(place)
    except ValueError:  # a full cache dropped it between the two lines
        cache.set(place, 1, timeout=limit.per_s)
        count = 1
    seconds = max(1, math.ceil(limit.per_s - now.timestamp() % limit.per_s))
    remembered = _spent.get()
    if remembered is not None:
        remembered[name] = Spent(name, max(0, limit.most - count), seconds)
    if count > limit.most:
        raise Refusal(
            "rate_limited",
            f"Too many attempts. Try again in {_spoken(seconds)}.",
            headers={"Retry-After": str(seconds)},
        )


def forgive(name: str, key: str, *, now: datetime) -> None:
    """Forgets the attempts of `key` in this window: the last one was right."""
    cache.delete(_place(name, key, now))


def _place(name: str, key: str, now: datetime) -> str:
    """The cache key of this window. What callers typed goes in hashed: it may hold anything."""
    return f"limit:{name}:{fingerprint(key)}:{int(now.timestamp() // LIMITS[name].per_s)}"


def _spoken(seconds: int) -> str:
    if seconds < 2 * MINUTE:
        return f"{seconds} seconds" if seconds > 1 else "a second"
    return f"{math.ceil(seconds / MINUTE)} minutes"
