"""How often somebody may try: fixed windows, counted in the cache that all processes share, declared in one table.

    spend("login.address", caller_address(), now=now)

refuses with 429 `rate_limited` and `Retry-After` once the window is used up. Inside `counting()`, which the API's base
view opens for each request, what was spent is remembered for the headers of the answer: `RateLimit-Policy` and
`RateLimit` of IETF draft-ietf-httpapi-ratelimit-headers-10.

Every request is counted: the API's base view counts its caller and, by ROUTES, what costs more; what is no view of the
API, `PagesMiddleware` counts by address. What guards an account (a sign-in, a mail) is spent by name where it happens.
"""

from __future__ import annotations

import ipaddress
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from redis import RedisError

from common.context import current_actor
from common.crypto import fingerprint
from common.errors import Refusal

logger = logging.getLogger(__name__)

MINUTE = 60
HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts in each window of `per_s` seconds."""

    most: int
    per_s: int


LIMITS: dict[str, Limit] = {
    # Everything that one person, one speaker, one address does. Far above what a busy dashboard asks for: these hold
    # off programs gone wild, not people.
    "read.user": Limit(6000, MINUTE),
    "write.user": Limit(1200, MINUTE),
    "call.device": Limit(600, MINUTE),
    "call.address": Limit(2400, MINUTE),
    "refused.address": Limit(1200, MINUTE),
    # A chain's speakers may all stand behind one address, and fetch a new programme at the same time.
    "media.address": Limit(30_000, MINUTE),
    # Documentation, the admin, the pages of mails.
    "page.address": Limit(300, MINUTE),
    # A refresh token cannot be guessed; a program that rotates in a circle is stopped.
    "refresh.address": Limit(600, 15 * MINUTE),
    # A speaker with a code asks every five seconds, and a hundred may be unpacked at once.
    "poll.address": Limit(2400, MINUTE),
    # A day of a floor, of a rule, of a speaker: computed anew each time.
    "compute.caller": Limit(300, MINUTE),
    # Months of what was played.
    "report.user": Limit(120, HOUR),
    # Files and speech: seconds of work each, and storage.
    "sound.user": Limit(1000, HOUR),
    # One account from one address: a guesser is slowed, and cannot lock the owner out from elsewhere.
    "login.account": Limit(10, 15 * MINUTE),
    # One account from everywhere: many addresses guess together. Where its person was before, they still get in.
    "login.everywhere": Limit(50, 15 * MINUTE),
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

ROUTES: dict[str, str] = {
    "GET media": "media.address",
    "POST auth-refresh": "refresh.address",
    "POST device-pair-token": "poll.address",
    "GET device-plan": "compute.caller",
    "GET floor-timeline": "compute.caller",
    "GET schedule-occurrences": "compute.caller",
    "GET licence-log": "report.user",
    "POST music-upload": "sound.user",
    "POST announcement-list": "sound.user",
    "POST announcement-tts-generate": "sound.user",
}
"""Routes that cost more than others, or are open to everybody, and the limit that each has besides the caller's own."""


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
    count = _counted(place, limit.per_s)
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


def spend_request(*, caller: str | None, device: bool, method: str, route: str, now: datetime) -> None:
    """Counts one call of the API, by its caller (None: by address) and by its route; raises Refusal `rate_limited`.

    `RATE_LIMITS=off` leaves it out, so that a bench measures the work and not the limit. A cache that is away does not
    shut the API: these limits spare us work, they guard nobody's account.
    """
    if not settings.RATE_LIMITS:
        return
    key = caller or caller_address()
    general = (
        "call.address" if caller is None else "call.device" if device else _KINDS.get(method, "write.user")
    )
    named = ROUTES.get(f"{method} {route}")
    try:
        if named != "media.address":
            spend(general, key, now=now)
        if named is not None:
            spend(named, key, now=now)
    except RedisError as error:
        logger.warning("a request was not counted: %s", error)


def spend_refusal(*, now: datetime) -> None:
    """Counts a call that showed no good credential; raises Refusal `rate_limited`."""
    _spend_of_address("refused.address", now)


def spend_page(*, now: datetime) -> None:
    """Counts a page; raises Refusal `rate_limited`."""
    _spend_of_address("page.address", now)


def _spend_of_address(name: str, now: datetime) -> None:
    if not settings.RATE_LIMITS:
        return
    try:
        spend(name, caller_address(), now=now)
    except RedisError as error:
        logger.warning("a request was not counted: %s", error)


_KINDS = {"GET": "read.user", "HEAD": "read.user", "OPTIONS": "read.user"}


def forgive(name: str, key: str, *, now: datetime) -> None:
    """Forgets the attempts of `key` in this window: the last one was right."""
    cache.delete(_place(name, key, now))


def _counted(place: str, per_s: int) -> int:
    """How many attempts there are with this one. Mostly the window has begun, and one step is enough."""
    try:
        return cache.incr(place)
    except ValueError:
        if cache.add(place, 1, timeout=per_s):
            return 1
    try:
        return cache.incr(place)  # somebody else was first
    except ValueError:  # a full cache dropped it between the two lines
        cache.set(place, 1, timeout=per_s)
        return 1


def _place(name: str, key: str, now: datetime) -> str:
    """The cache key of this window. What callers typed goes in hashed: it may hold anything."""
    return f"limit:{name}:{fingerprint(key)}:{int(now.timestamp() // LIMITS[name].per_s)}"


def _spoken(seconds: int) -> str:
    if seconds < 2 * MINUTE:
        return f"{seconds} seconds" if seconds > 1 else "a second"
    return f"{math.ceil(seconds / MINUTE)} minutes"
