"""Plays that only their device knows of: it played by a plan whose rules were changed or removed while it was away.

Promise three, always on the record, holds for them too: the row is what the device itself says of the play.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from announcements.models import Announcement
from common import clock
from devices import protocol
from devices.desired import effective_volume
from devices.models import Device
from devices.ports import DeviceReport
from events.domain import ledger
from events.ports import PlannedEvent, PlannedPlay

TOLD_PLAYS = UUID("5b1f0c5e-0b43-5c0f-9d0a-5f7e6f1f2a90")
BACK = timedelta(days=90)
"""Receipts are kept on a device until they are acknowledged; an instant longer ago than this is not believed."""
AHEAD = timedelta(minutes=5)
"""How far a device's clock may run ahead of its report."""
EXPIRY_US = 2_000_000
DUCK_DB = -15.0


def plays_told(reports: Iterable[tuple[DeviceReport, UUID]]) -> Iterator[PlannedPlay]:
    """The plays that these receipts (each with its event's id) are about, for those that say enough.

    A receipt has to name its announcement and an instant. The floor is the one where the device hangs now; an
    announcement that is gone, or not of the device's business, leaves its reference empty. All speakers that tell
    of the same announcement at the same instant mean one play.
    """
    told = [
        (report.device_pk, event_id, report.message, play_at)
        for report, event_id in reports
        if isinstance(report.message, protocol.PlaybackComplete) and report.message.announcement_id
        if (play_at := _instant(report.message, report.at)) is not None
    ]
    devices = Device.objects.select_related("floor").in_bulk({device_pk for device_pk, *_ in told})
    owners = dict(
        Announcement.objects.filter(
            pk__in={message.announcement_id for _, _, message, _ in told}
        ).values_list("pk", "client_id")
    )
    for device_pk, event_id, message, play_at in told:
        device = devices.get(device_pk)
        if device is None:
            continue
        own = owners.get(message.announcement_id or 0) == device.client_id
        yield PlannedPlay(
            play_id=uuid5(TOLD_PLAYS, f"{device.client_id}/{message.announcement_id}/{play_at}"),
            client_pk=device.client_id,
            floor_pk=device.floor_id,
            announcement_pk=message.announcement_id if own else None,
            priority=message.priority or ledger.INTERVAL,
            play_at=play_at,
            expires_at=play_at + EXPIRY_US,
            duck_db=DUCK_DB,
            late="join",
            events=[PlannedEvent(own_id(device_pk, event_id), device_pk, effective_volume(device))],
        )


def own_id(device_pk: int, event_id: UUID) -> UUID:
    """The key of the row of a play that a device tells of under `event_id`.

    Not that id itself: ids are derived from what an event is, so that a device could take another's before its row is
    written, and that one's play would have no place on the record.
    """
    return uuid5(TOLD_PLAYS, f"{device_pk}/{event_id}")


def believed(instant: int | None, arrived: datetime, *, ahead: timedelta = AHEAD) -> int | None:
    """An instant (µs UTC) that a device gives for a play, if one can believe it."""
    if instant is not None and clock.to_us(arrived - BACK) <= instant <= clock.to_us(arrived + ahead):
        return instant
    return None


def _instant(message: protocol.PlaybackComplete, arrived: datetime) -> int | None:
    """When the play was due, else when it began."""
    due = believed(message.play_at, arrived)
    return due if due is not None else believed(message.started_at, arrived)
