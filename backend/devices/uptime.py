"""How much of the time speakers were there: reads outages and when the server listened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common import clock
from devices.domain.uptime import Uptime, length, uptime_of, within
from devices.models import Device, ListeningSpan, Outage
from devices.outages import NOTED_EVERY
from zones.domain import Span, union

STILL = 2 * NOTED_EVERY
"""So long after it was last noted the server is taken to listen still."""


@dataclass(frozen=True, slots=True)
class DeviceUptime:
    """A speaker with its uptime in a window."""

    device: Device
    uptime: Uptime


def listened(start: datetime, end: datetime, *, now: datetime) -> tuple[Span, ...]:
    """When the server heard speakers in [start, end), in µs UTC, in order and disjoint."""
    rows = ListeningSpan.objects.filter(started_at__lt=end, ended_at__gt=start - STILL)
    found = union(
        Span(clock.to_us(began), clock.to_us(now if now - ended < STILL else ended))
        for began, ended in rows.values_list("started_at", "ended_at")
    )
    return within(found, Span(clock.to_us(start), clock.to_us(end)))


def seconds_of(outage: Outage, heard: Sequence[Span], *, now: datetime) -> int:
    """How long an outage was, as far as there was anybody to hear the speaker."""
    return length(within(heard, _span(outage, now))) // 1_000_000


def uptimes(devices: Sequence[Device], edges: Sequence[int], *, now: datetime) -> list[DeviceUptime]:
    """The uptime of each of these speakers in the window that `edges` (µs UTC) bound and divide. Two queries."""
    start, end = clock.from_us(edges[0]), clock.from_us(edges[-1])
    heard = listened(start, end, now=now)
    away = _outages([device.pk for device in devices], start, end, now)
    return [
        DeviceUptime(device, uptime_of(_known(heard, device), away.get(device.pk, ()), edges))
        for device in devices
    ]


def _known(heard: Sequence[Span], device: Device) -> Sequence[Span]:
    """What of it counts for this speaker: not what was before its first sign of life."""
    if not heard or device.first_seen is None:
        return ()
    return within(heard, Span(clock.to_us(device.first_seen), heard[-1].end))


def _outages(
    devices: Collection[int], start: datetime, end: datetime, now: datetime
) -> Mapping[int, list[Span]]:
    found: dict[int, list[Span]] = defaultdict(list)
    rows: Iterable[Outage] = Outage.objects.within(start, end).filter(device__in=devices)
    for outage in rows:
        found[outage.device_id].append(_span(outage, now))
    return found


def _span(outage: Outage, now: datetime) -> Span:
    return Span(clock.to_us(outage.started_at), clock.to_us(outage.ended_at or max(now, outage.started_at)))
