"""Desired state of a device: what the server wants it to be, numbered by `rev`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clients.models import Client
from devices.models import Device
from devices.protocol import Desired, SetDesired
from zones.models import Floor


def desired_of(device: Device, now: datetime) -> Desired:
    """The desired state at `now`: the volume within the floor's bounds, silenced while the business is locked."""
    return desired_in(device, device.floor, device.client, now)


def desired_in(row: Any, floor: Floor | None, client: Client, now: datetime) -> Desired:
    """The same of a row that has a device's `desired_rev`, `volume`, `muted` and `output_delay_ms`."""
    return Desired(
        rev=row.desired_rev,
        volume=_within(floor, row.volume),
        muted=row.muted,
        output_delay_ms=row.output_delay_ms,
        silenced=client.lock(now) is not None,
    )


def effective_volume(device: Device) -> int:
    """The device's volume within its floor's least and most, 0–100."""
    return _within(device.floor, device.volume)


def _within(floor: Floor | None, volume: int) -> int:
    return floor.bounded(volume) if floor else volume


def message_of(desired: Desired) -> SetDesired:
    """The push of a desired state."""
    return SetDesired(
        rev=desired.rev,
        volume=desired.volume,
        muted=desired.muted,
        output_delay_ms=desired.output_delay_ms,
        silenced=desired.silenced,
    )
