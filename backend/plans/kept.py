"""Keeps plans for a while: a speaker that asks again, or hangs beside one that asked, costs a few short queries.

Two things are kept in the cache that all processes share, each under the version of what it was made of: what the
speakers of a place have in common, and the ETag of a speaker's last plan. The version is read first (`plans.basis`),
in the request itself, so nothing has to be thrown away: after a commit everybody asks for another version, and
one that was rolled back was never asked for. Each place and each speaker has one entry, which bounds the room.
"""

from __future__ import annotations

import logging
import threading
import zlib
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import msgspec
from django.core.cache import cache
from msgspec import Struct
from redis import RedisError

from common import clock
from common.tenancy import scope_of_client
from devices.models import Device
from devices.plan import Plan
from plans.basis import Basis, basis_of
from plans.builder import composed
from plans.shared import Shared, shared_of
from zones.domain.wallclock import HOUR_US

logger = logging.getLogger(__name__)

KEPT_S = 600
"""So long what a row's stamp does not tell of, a change by hand in the database, may stay unseen."""
SHAPE = 1
"""Of what is kept; another one when `Shared` or `Told` gets other columns."""
LEVEL = 1
"""Of zlib: a floor of 500 tracks takes a fifth of its room, for half a millisecond to unpack."""


class Told(Struct, frozen=True, array_like=True):
    """The ETag of the plan that was made of this digest, which holds before `until` (µs UTC)."""

    digest: str
    etag: str
    until: int


class Kept(Struct, frozen=True, array_like=True):
    """What the speakers of a place have in common, as of a version."""

    version: str
    packed: bytes


class Answer(NamedTuple):
    """A plan's ETag, and its document (JSON) unless the caller has it."""

    etag: str
    document: bytes | None


_shared = msgspec.msgpack.Decoder(Shared)
_told = msgspec.msgpack.Decoder(Told)
_kept = msgspec.msgpack.Decoder(Kept)
_building = [threading.Lock() for _ in range(64)]
"""By place: of many speakers of one floor that ask at once one builds, and the others wait for it."""


def answer(device: Device, *, known: Collection[str], now: datetime) -> Answer:
    """The plan of this device (with its floor and client) as of `now`, unless its ETag is one of `known`.

    Always what `builder.plan_of` says, to the byte. The caller has made sure that the device may be seen: what is kept
    for all is built in the scope of its business, whoever asks.
    """
    with scope_of_client(device.client_id):
        basis = basis_of(device, now=now)
        try:
            return _by_what_is_kept(device, basis, known, now)
        except RedisError as error:
            logger.warning("a plan is built without what was kept: %s", error)
        plan = composed(device, basis, shared_of(device, basis.start, basis.end), now=now)
        return _answered(plan, known)


def _by_what_is_kept(device: Device, basis: Basis, known: Collection[str], now: datetime) -> Answer:
    name = f"plans.told.{SHAPE}.{device.pk}"
    entry = cache.get(name) if known else None
    if entry is not None:
        told = _told.decode(entry)
        if told.digest == basis.digest and clock.to_us(now) < told.until and told.etag in known:
            return Answer(told.etag, None)
    plan = composed(device, basis, _in_common(device, basis), now=now)
    told = Told(basis.digest, plan.etag, _until(plan))
    cache.set(name, msgspec.msgpack.encode(told), KEPT_S)
    return _answered(plan, known)


def _answered(plan: Plan, known: Collection[str]) -> Answer:
    return Answer(plan.etag, None if plan.etag in known else msgspec.json.encode(plan))


def _until(plan: Plan) -> int:
    """When the plan becomes another one by time alone: something expires, or the next hour begins."""
    return min([plan.valid_from + HOUR_US, *(each.expires_at for each in plan.occurrences)])


def _in_common(device: Device, basis: Basis) -> Shared:
    place = f"floor.{device.floor_id}" if device.floor_id else f"device.{device.pk}"
    name = f"plans.shared.{SHAPE}.{place}"
    found = _unpacked(cache.get(name), basis)
    if found is not None:
        return found
    with _building[hash(place) % len(_building)]:
        found = _unpacked(cache.get(name), basis)
        if found is None:
            found = shared_of(device, basis.start, basis.end)
            packed = zlib.compress(msgspec.msgpack.encode(found), LEVEL)
            cache.set(name, msgspec.msgpack.encode(Kept(basis.version, packed)), KEPT_S)
        return found


def _unpacked(entry: bytes | None, basis: Basis) -> Shared | None:
    if entry is None:
        return None
    kept = _kept.decode(entry)
    return _shared.decode(zlib.decompress(kept.packed)) if kept.version == basis.version else None
