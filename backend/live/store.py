"""The dashboards' side of the database: who still looks, and how speakers are. Each call serves many sockets.

Every function is synchronous and opens its own scope.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from common import clock
from common.api import scope_of
from common.permissions import ADMIN
from common.tenancy import Scope, system_scope
from devices.models import LEASE, Device
from live.protocol import DeviceState
from live.tickets import Ticket, redeem
from users.tokens import still_good


@dataclass(frozen=True, slots=True)
class Looking:
    """A person at a dashboard: what let them in, and what they may see, always of one business."""

    ticket: Ticket
    person: int
    scope: Scope


def admit(ticket: str) -> Looking | None:
    """Who opens a socket by this ticket; None when it is not good, or no longer."""
    found = redeem(ticket)
    return None if found is None else scopes([found])[0]


def scopes(tickets: Sequence[Ticket]) -> list[Looking | None]:
    """What the people of these tickets may see now, in order; None for whom access has ended."""
    people = still_good([ticket.claims for ticket in tickets])
    return [_looking(ticket, user) for ticket, user in zip(tickets, people, strict=True)]


def _looking(ticket: Ticket, user: Any) -> Looking | None:
    if user is None:
        return None
    scope = Scope(client_id=ticket.client) if user.role == ADMIN else scope_of(user)
    return Looking(ticket, user.pk, scope) if scope.client_id == ticket.client else None


def states_in(scope: Scope) -> list[DeviceState]:
    """All speakers that this scope shows."""
    with system_scope("the scope of a dashboard is given"):
        return [_state(device) for device in Device.objects.all().visible_in(scope).order_by("pk")]


def states_of(devices: Collection[int], *, clients: Collection[int]) -> dict[int, list[DeviceState]]:
    """How these speakers are, by business, those of these businesses."""
    with system_scope("one read serves all dashboards; each is sent what its scope shows"):
        rows = Device.objects.filter(pk__in=devices, client_id__in=clients).order_by("pk")
        found: dict[int, list[DeviceState]] = {}
        for device in rows:
            found.setdefault(device.client_id, []).append(_state(device))
        return found


def _state(device: Device) -> DeviceState:
    seen = device.last_seen
    return DeviceState(
        id=device.pk,
        floor=device.floor_id,
        name=device.name,
        online_until=None if seen is None else clock.to_us(seen + LEASE),
        volume=device.volume,
        muted=device.muted,
        in_sync=device.applied_rev >= device.desired_rev,
        clock_state=device.clock_state,
        clock_error_us=device.clock_error_us,
        reported=device.reported,
    )
