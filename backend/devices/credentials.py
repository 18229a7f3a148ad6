"""How a device proves who it is: a token that opens its own path only, or a ticket that it traded for.

A token is kept as a hash. Rotation keeps the old one until the new one is first used. A ticket is single-use and
lives 60 s, for browsers, which cannot set headers on a socket.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Q

from common.crypto import fingerprint, new_secret
from devices.models import Device

TICKET_LIFETIME_S = 60


@dataclass(frozen=True, slots=True)
class Credential:
    """What a connection shows: a token, or a ticket."""

    token: str = ""
    ticket: str = ""


def bearer_of(header: str) -> str:
    """The token of an `Authorization: Bearer …` header, or nothing."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def issue_ticket(device: Device) -> str:
    """A ticket for one connection of this device within 60 s."""
    ticket = secrets.token_urlsafe(24)
    cache.set(f"device-ticket:{fingerprint(ticket)}", device.pk, TICKET_LIFETIME_S)
    return ticket


def _redeem(ticket: str) -> int | None:
    """The device of a ticket, once: of two that come at the same time only one deletes the entry."""
    key = f"device-ticket:{fingerprint(ticket)}"
    device_pk: int | None = cache.get(key)
    return device_pk if device_pk is not None and cache.delete(key) else None


def recognise(credentials: Sequence[Credential]) -> list[Device | None]:
    """The devices of many credentials in one query, in order; None for what is not known.

    A device whose token was revoked is returned too: the caller says so and refuses it. The first use of a new
    token retires the old one. Call it inside a scope that shows every client's devices.
    """
    return _recognised(credentials, lambda found: found.select_related("floor", "client"))


def recognise_rows(credentials: Sequence[Credential], columns: Sequence[str]) -> list[Any]:
    """The same as rows of these columns, named tuples: a model for each takes most of the time of a look-up."""
    read = ("pk", "token_hash", "next_token_hash", *columns)
    return _recognised(credentials, lambda found: found.values_list(*read, named=True))


def _recognised(credentials: Sequence[Credential], read: Callable[[Any], Iterable[Any]]) -> list[Any]:
    hashes = [fingerprint(item.token) if item.token else "" for item in credentials]
    redeemed = [_redeem(item.ticket) if item.ticket else None for item in credentials]
    known = {digest for digest in hashes if digest}
    wanted = {pk for pk in redeemed if pk is not None}
    if not known and not wanted:
        return [None] * len(credentials)
    found = Device.objects.filter(Q(token_hash__in=known) | Q(next_token_hash__in=known) | Q(pk__in=wanted))
    rows = list(read(found))
    by_pk = {row.pk: row for row in rows}
    by_hash = {row.token_hash: row for row in rows if row.token_hash}
    by_next = {row.next_token_hash: row for row in rows if row.next_token_hash}
    for digest in by_next.keys() & known:
        _retire_old_token(by_next[digest], digest)
    return [
        (by_hash.get(digest) or by_next.get(digest)) if digest else by_pk.get(pk or 0)
        for digest, pk in zip(hashes, redeemed, strict=True)
    ]


def _retire_old_token(row: Any, digest: str) -> None:
    Device.objects.filter(pk=row.pk, next_token_hash=digest).update(token_hash=digest, next_token_hash="")
    if isinstance(row, Device):
        row.token_hash, row.next_token_hash = digest, ""


def fresh_token() -> tuple[str, str]:
    """A new token of 256 bits, and the hash to keep of it."""
    token = new_secret()
    return token, fingerprint(token)
