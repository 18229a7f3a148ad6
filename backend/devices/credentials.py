"""How a device proves who it is: a token that opens its own path only, or a ticket that it traded for.

A token is kept as a hash. Rotation keeps the old one until the new one is first used. A ticket is single-use and
lives 60 s, for browsers, which cannot set headers on a socket.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

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


def recognise(credentials: Sequence[Credential], *, columns: Sequence[str] = ()) -> list[Device | None]:
    """The devices of many credentials in one query, in order; None for what is not known.

    `columns` are all that is read of them and of their floors and businesses; none: everything.

    A device whose token was revoked is returned too: the caller says so and refuses it. The first use of a new
    token retires the old one. Call it inside a scope that shows every client's devices.
    """
    hashes = [fingerprint(item.token) if item.token else "" for item in credentials]
    redeemed = [_redeem(item.ticket) if item.ticket else None for item in credentials]
    known = {digest for digest in hashes if digest}
    wanted = {pk for pk in redeemed if pk is not None}
    if not known and not wanted:
        return [None] * len(credentials)
    found = Device.objects.select_related("floor", "client").filter(
        Q(token_hash__in=known) | Q(next_token_hash__in=known) | Q(pk__in=wanted)
    )
    rows = list(found.only(*columns) if columns else found)
    by_pk = {row.pk: row for row in rows}
    by_hash = {row.token_hash: row for row in rows if row.token_hash}
    by_next = {row.next_token_hash: row for row in rows if row.next_token_hash}
    for digest, row in by_next.items():
        if digest in known:
            _retire_old_token(row, digest)
    return [
        (by_hash.get(digest) or by_next.get(digest)) if digest else by_pk.get(pk or 0)
        for digest, pk in zip(hashes, redeemed, strict=True)
    ]


def _retire_old_token(device: Device, digest: str) -> None:
    Device.objects.filter(pk=device.pk, next_token_hash=digest).update(token_hash=digest, next_token_hash="")
    device.token_hash, device.next_token_hash = digest, ""


def fresh_token() -> tuple[str, str]:
    """A new token of 256 bits, and the hash to keep of it."""
    token = new_secret()
    return token, fingerprint(token)
