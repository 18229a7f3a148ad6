"""The socket's side of the database: look-ups at connect and leases, each many at a time.

Every function is synchronous, opens its own scope, and runs on the runtime's store thread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from clients.models import Client
from common import clock
from common.given import given
from common.tenancy import system_scope
from devices.credentials import Credential, recognise_rows
from devices.desired import desired_in, desired_of
from devices.models import LEASE, Device
from devices.protocol import Desired
from zones.models import Floor

TOUCHED = {
    "last_seen": "timestamptz",
    "ip_address": "inet",
    "session_id": "text",
    "boot_id": "text",
    "software": "text",
    "capabilities": "jsonb",
    "plan_etag": "text",
    "applied_rev": "bigint",
    "clock_state": "text",
    "clock_error_us": "bigint",
    "round_trip_us": "bigint",
    "required_lead_ms": "bigint",
    "plain": "boolean",
    "reported": "jsonb",
}
"""The columns that a live device changes, and PostgreSQL's types; nothing else is written from the socket."""

BOUNDS = ("min_volume", "max_volume")
LOCK = ("status", "trial_ends_at", "subscription_status", "deletion_requested_at")
KNOWN_BY = (
    "client_id", "device_id", "revoked_at", "desired_rev", "volume", "muted", "output_delay_ms", "floor_id",
    *(f"floor__{name}" for name in BOUNDS), *(f"client__{name}" for name in LOCK),
)  # fmt: skip
"""What a look-up reads: what `Known` and its desired state are made of."""


Row = dict[str, Any]
"""A device's columns of TOUCHED as they stand, with its key and `desired_rev`."""


@dataclass(frozen=True, slots=True)
class Known:
    """A device whose credential was recognised, as its socket needs it, and no more: it is kept while that is open."""

    pk: int
    client_id: int
    device_id: str
    revoked: bool
    desired: Desired


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


def look_up(credentials: Sequence[Credential]) -> list[Known | None]:
    """The devices behind many credentials, in order."""
    now = clock.now()
    floors: dict[int, Floor] = {}
    clients: dict[int, Client] = {}
    with system_scope("a connecting device is known by its token alone"):
        rows = recognise_rows(credentials, KNOWN_BY)
    for row in rows:
        if row is None:
            continue
        if row.client_id not in clients:
            clients[row.client_id] = Client(**{name: getattr(row, f"client__{name}") for name in LOCK})
        if row.floor_id is not None and row.floor_id not in floors:
            floors[row.floor_id] = Floor(**{name: getattr(row, f"floor__{name}") for name in BOUNDS})
    return [
        row
        and Known(
            pk=row.pk,
            client_id=row.client_id,
            device_id=row.device_id,
            revoked=row.revoked_at is not None,
            desired=desired_in(row, floors.get(row.floor_id), clients[row.client_id], now),
        )
        for row in rows
    ]


def touch(touches: Sequence[Touch]) -> list[Touched]:
    """Writes many signs of life in one transaction, in order."""
    with system_scope("the socket serves every client's devices"), transaction.atomic():
        rows: dict[int, Row] = {
            row["pk"]: row
            for row in Device.objects.select_for_update(no_key=True)
            .filter(pk__in={item.device_pk for item in touches})
            .order_by("pk")  # one order for all processes, so that none waits for another in a circle
            .values("pk", "desired_rev", *TOUCHED)
        }
        current = [_apply(rows.get(item.device_pk), item) for item in touches]
        good = [item for item, is_current in zip(touches, current, strict=True) if is_current]
        _write({item.device_pk: rows[item.device_pk] for item in good})
        told = {item.device_pk for item in good if "applied_rev" in item.values}
        behind = _desired([pk for pk in told if rows[pk]["applied_rev"] < rows[pk]["desired_rev"]])
        return [
            Touched(
                is_current,
                behind.get(item.device_pk) if is_current and "applied_rev" in item.values else None,
            )
            for is_current, item in zip(current, touches, strict=True)
        ]


def _write(rows: Mapping[int, Row]) -> None:
    """All of TOUCHED by one short statement; `bulk_update` compiles a branch for each value, 0.5 ms a row."""
    if not rows:
        return
    columns = {
        name: (
            WRITTEN_AS.get(kind, kind),
            [AS_GIVEN.get(kind, _as_it_is)(row[name]) for row in rows.values()],
        )
        for name, kind in TOUCHED.items()
    }
    table, values = given("n", {"id": ("bigint", list(rows)), **columns})
    read = READ if connection.vendor == "postgresql" else {}
    changes = ", ".join(f"{name} = {read.get(kind, 'n.{}').format(name)}" for name, kind in TOUCHED.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE devices SET {changes} FROM {table} WHERE devices.id = n.id",  # noqa: S608  # our own names
            values,
        )


def _as_it_is(value: Any) -> Any:
    return value


WRITTEN_AS = {"inet": "text", "jsonb": "text", "boolean": "smallint"}
"""As what `given` takes these types."""
AS_GIVEN: Mapping[str, Callable[[Any], Any]] = {"jsonb": json.dumps, "boolean": int}
READ = {"inet": "n.{}::inet", "jsonb": "n.{}::jsonb", "boolean": "n.{} = 1"}
"""How PostgreSQL gets them back; SQLite keeps them as they are given."""


def _desired(devices: Collection[int]) -> dict[int, Desired]:
    """What these devices, which just said that they have applied an older state, should be."""
    if not devices:
        return {}
    now = clock.now()
    rows = Device.objects.select_related("floor", "client").filter(pk__in=devices)
    return {row.pk: desired_of(row, now) for row in rows}


def _seen(before: datetime | None, item: Touch) -> datetime:
    """The later of both, for processes may bring them out of order. A sign of life that is older by a whole lease was
    given after the server's clock was set back: the device would seem online until that time comes again."""
    if before is None or item.at >= before:
        return item.at
    return item.at if item.values and before - item.at > LEASE else before


def _apply(row: Row | None, item: Touch) -> bool:
    if row is None or not (item.takes_over or row["session_id"] == item.session_id):
        return False
    reported = row["reported"] | item.values.get("reported", {})
    last_seen = _seen(row["last_seen"], item)
    row |= item.values
    row |= {"session_id": item.session_id, "last_seen": last_seen, "reported": reported}
    return True
