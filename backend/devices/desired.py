"""Desired state of a device: what the server wants it to be, numbered by `rev`."""

from __future__ import annotations

from datetime import datetime

from devices.models import Device
from devices.protocol import Desired, SetDesired


def desired_of(device: Device, now: datetime) -> Desired:
    """The desired state at `now`: the volume within the floor's bounds, silenced while the business is locked."""
    return Desired(
        rev=device.desired_rev,
        volume=effective_volume(device),
        muted=device.muted,
        output_delay_ms=device.output_delay_ms,
        silenced=device.client.lock(now) is not None,
    )


def effective_volume(device: Device) -> int:
    """The device's volume within its floor's least and most, 0–100."""
    return device.floor.bounded(device.volume) if device.floor else device.volume


def message_of(desired: Desired) -> SetDesired:
    """The push of a desired state."""
    return SetDesired(
        rev=desired.rev,
        volume=desired.volume,
        muted=desired.muted,
        output_delay_ms=desired.output_delay_ms,
        silenced=desired.silenced,
    )
