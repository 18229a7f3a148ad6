"""The socket's side of the database: look-ups at connect and leases, each many at a time.

Every function is synchronous, opens its own scope, and runs on the runtime's store thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from common.tenancy import system_scope
from devices.credentials import Credential, recognise
from devices.desired import desired_of
from devices.models import Device
from devices.protocol import Desired

TOUCHED = (
    "last_seen",
    "ip_address",
    "session_id",
    "boot_id",
    "software",
    "capabilities",
    "plan_etag",
    "applied_rev",
    "clock_state",
    "clock_error_us",
    "round_trip_us",
    "required_lead_ms",
    "plain",
    "reported",
)
"""The columns that a live device changes; nothing else is written from the socket."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A sign of life: `values` are columns of TOUCHED. `takes_over` marks the hello of a new session.

    `reported` in `values` is merged into what was reported before.
    """

    device_pk: int
    session_id: str
    at: datetime
    takes_over: bool = False
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Touched:
    """What became of a sign of life.

    `current` is False when a newer session has taken over. `desired` is the desired state as it stands, when
    the device has not applied it: the push of it was lost, or never sent.
    """

    current: bool
    desired: Desired | None = None


def look_up(credentials: Sequence[Credential]) -> list[Device | None]:
    """The devices behind many credentials, in order."""
    with system_scope("a connecting device is known by its token alone"):
        return recognise(credentials)


def touch(touches: Sequence[Touch]) -> list[Touched]:
    """Writes many signs of life in one transaction, in order."""
    with system_scope("the socket serves every client's devices"), transaction.atomic():
        rows = {
            row.pk: row
            for row in Device.objects.select_for_update(of=("self",))
            .select_related("floor", "client")
            .filter(pk__in={item.device_pk for item in touches})
            .order_by("pk")  # one order for all processes, so that none waits for another in a circle
        }
        current = [_apply(rows.get(item.device_pk), item) for item in touches]
        if any(current):
            Device.objects.bulk_update(rows.values(), TOUCHED, batch_size=200)
        return [
            Touched(is_current, _not_applied(rows[item.device_pk], item) if is_current else None)
            for is_current, item in zip(current, touches, strict=True)
        ]


def _not_applied(row: Device, item: Touch) -> Desired | None:
    """The desired state, if the device just said of itself that it has an older one."""
    reported = "applied_rev" in item.values
    return desired_of(row, item.at) if reported and row.applied_rev < row.desired_rev else None


def _apply(row: Device | None, item: Touch) -> bool:
    if row is None or not (item.takes_over or row.session_id == item.session_id):
        return False
    values = dict(item.values)
    row.reported = {**row.reported, **values.pop("reported", {})}
    row.session_id = item.session_id
    row.last_seen = max(item.at, row.last_seen) if row.last_seen else item.at
    for name, value in values.items():
        setattr(row, name, value)
    return True
