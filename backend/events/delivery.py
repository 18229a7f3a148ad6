"""The ledger behind the device socket: what a device must still hear, and what it says became of it.

Every function is synchronous, serves many devices at a time, and opens its own scope and transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from announcements.models import Announcement
from common import clock
from common.tenancy import system_scope
from devices import protocol
from devices.ports import DeviceReport
from events import moves, planned, told
from events.alerts import tell_failed
from events.domain import ledger, timing
from events.messages import order_of
from events.models import PlayEvent
from events.rows import Change, Row, rows_of

SENT_AGAIN_AFTER = timedelta(seconds=2)
"""An order younger than this is on its way by push; asking the database for it would send it twice."""
BELIEVED_SLACK = timedelta(minutes=5)
"""A device's instant may lie this far outside of what is possible before it is not believed."""

Key = tuple[int, UUID | int | None]
"""A device and what it calls an event of its own: an event's id, or, a plain device, an announcement's key."""


class EventLedger:
    """`devices.ports.Ledger` over the play events."""

    def due(
        self, device_pks: Sequence[int], *, reconnected: bool, now: datetime
    ) -> Mapping[int, Sequence[protocol.PlayAnnouncement]]:
        """The orders that these devices have not acknowledged; after a reconnect, all that have not started.

        A play that waited for its device gets its start here, and keeps it. What stands in a floor's programme
        is not sent besides: the device has it in its plan, but for a plain one, which knows no plan.
        """
        with system_scope("the socket serves every client's devices"), transaction.atomic():
            states = [ledger.PENDING, ledger.DELIVERED] if reconnected else [ledger.PENDING]
            rows = PlayEvent.objects.open().filter(
                device_id__in=device_pks, status__in=states, expires_at__gt=now
            )
            rows = rows.exclude(announcement=None)
            if (
                not reconnected
            ):  # a `filter` would lead SQLite along `created_at`, through all of a device's past
                rows = rows.exclude(created_at__gte=now - SENT_AGAIN_AFTER)
            rows = rows.exclude(priority=ledger.PLAYLIST, device__plain=False)
            rows = rows.exclude(status=ledger.DELIVERED, device__plain=True)  # it would play it a second time
            orders: dict[int, list[protocol.PlayAnnouncement]] = {}
            # Rows are taken in the order in which `_addressed` locks them.
            for event in rows.select_related("announcement", "device").order_by("play_at", "pk"):
                if event.waits_for_device and event.status == ledger.PENDING and not _resumed(event, now):
                    continue
                announcement: Any = event.announcement
                orders.setdefault(event.device_id or 0, []).append(order_of(event, announcement, now=now))
            return orders

    def store(self, reports: Sequence[DeviceReport], *, now: datetime) -> None:
        """Moves the events that these reports are about. A report about another device's event moves nothing."""
        with system_scope("the socket serves every client's devices"), transaction.atomic():
            named = [(_key(report), report) for report in reports]
            rows = _addressed(named)
            unknown = _unknown(named, rows)
            if unknown:  # asked and read again, whoever wrote them: a tick may have done so meanwhile
                planned.insert_asked(planned.questions(unknown), now=now)
                rows = _addressed(named)
                unknown = _unknown(named, rows)
                rows |= _told(unknown, now)
            words = _words(named, rows)
            changes: list[Change] = []
            changed: dict[UUID, Row] = {}
            failed_before = {event.pk for event in rows.values() if event.status == ledger.FAILED}
            for key, report in named:
                event = rows.get(key)
                if event is None:
                    continue
                change = _move(event, report, words)
                if change is not None:
                    changes.append(change)
                    changed[event.pk] = event
            if changed:
                moves.keep(changed.values(), changes)
                tell_failed((event for pk, event in changed.items() if pk not in failed_before), now=now)


def _resumed(event: PlayEvent, now: datetime) -> bool:
    """Gives a play that waited for its device a start; False when it is too late for one."""
    device: Any = event.device
    announcement: Any = event.announcement
    path = timing.Path(
        required_lead_us=device.required_lead_ms * timing.MS,
        output_delay_us=device.output_delay_ms * timing.MS,
        round_trip_us=device.round_trip_us,
    )
    start = timing.resume(
        play_at=clock.to_us(event.play_at),
        duration_us=announcement.duration_ms * timing.MS,
        expires_at=clock.to_us(event.expires_at),
        now=clock.to_us(now),
        lead=timing.lead_us([path], clip_bytes=announcement.file_size),
    )
    if start is None:
        return False
    event.play_at = clock.from_us(start.play_at)
    event.late = start.late
    event.waits_for_device = False
    event.save(update_fields=["play_at", "late", "waits_for_device"])
    return True


def _key(report: DeviceReport) -> Key:
    """What names the event of a report: its id, or for a plain device its announcement."""
    message: Any = report.message
    return report.device_pk, _uuid(message.event_id) if message.event_id else message.announcement_id


def _addressed(named: Sequence[tuple[Key, DeviceReport]]) -> dict[Key, Row]:
    """The locked events of these reports, by device and name: only a device's own events are found."""
    wanted = Q(pk__among=[name for (_, name), _ in named if isinstance(name, UUID)])
    for (device_pk, name), _ in named:
        if isinstance(name, int):
            wanted |= Q(
                device_id=device_pk, announcement_id=name, status__in=[ledger.DELIVERED, ledger.PLAYING]
            )
    rows: dict[Key, Row] = {}
    # The key makes the order of the locks the same for all who take them.
    events = PlayEvent.objects.select_for_update(no_key=True).filter(wanted).order_by("play_at", "pk")
    for event in rows_of(events):
        device_pk = event.device_id or 0
        rows[device_pk, event.pk] = event
        if event.announcement_id and event.status in {ledger.DELIVERED, ledger.PLAYING}:
            rows.setdefault((device_pk, event.announcement_id), event)
    return rows


def _unknown(
    named: Sequence[tuple[Key, DeviceReport]], rows: Mapping[Key, Row]
) -> list[tuple[DeviceReport, UUID]]:
    """The reports about events that have no row yet: a device plays from its plan while it is offline."""
    return [(report, key[1]) for key, report in named if key not in rows and isinstance(key[1], UUID)]


def _told(unknown: Sequence[tuple[DeviceReport, UUID]], now: datetime) -> dict[Key, Row]:
    """Writes the rows of plays that no rule knows, as their devices tell them; answers with those, by device and name.

    What has a row by now is another device's. A receipt that comes again writes none: the first one decides.
    """
    ids = {event_id for _, event_id in unknown}
    others = set(PlayEvent.objects.filter(pk__in=ids).values_list("pk", flat=True)) if ids else ids
    own = [(report, event_id) for report, event_id in unknown if event_id not in others]
    names = {told.own_id(report.device_pk, event_id): _key(report) for report, event_id in own}
    plays = list(told.plays_told(own))
    there = planned.insert(plays, now=now).not_these
    written = {event.event_id for play in plays for event in play.events} - there
    if not written:
        return {}
    rows = rows_of(PlayEvent.objects.select_for_update(no_key=True).filter(pk__in=written))
    return {names[event.pk]: event for event in rows}


def _words(named: Sequence[tuple[Key, DeviceReport]], rows: Mapping[Key, Row]) -> dict[tuple[int, int], str]:
    """The titles of announcements that were played where the server would have chosen others, by client and key."""
    other = {
        (event.client_id, report.message.announcement_id)
        for key, report in named
        if isinstance(report.message, protocol.PlaybackComplete) and report.message.announcement_id
        if (event := rows.get(key)) is not None and event.announcement_id != report.message.announcement_id
    }
    if not other:
        return {}
    titles = Announcement.objects.filter(pk__in={pk for _, pk in other}).values_list(
        "client_id", "pk", "title"
    )
    return {(client, pk): title for client, pk, title in titles}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _move(event: Row, report: DeviceReport, words: Mapping[tuple[int, int], str]) -> Change | None:
    """Applies one report to its event; None when it changes nothing."""
    match report.message:
        case protocol.Ack() as ack:
            moved = ledger.acknowledged(event.status, state=ack.state, at=report.at)
            detail: dict[str, Any] = {"ack": ack.state, "why": ack.reason}
        case protocol.PlaybackStarted() as begun:
            at = _believed(begun.started_at, event, report.at)
            moved = ledger.started(event.status, at=at or report.at)
            detail = {"started_at_us": begun.started_at}
        case protocol.PlaybackComplete() as receipt:
            moved = ledger.received(
                event.status,
                event.reason,
                outcome=receipt.outcome,
                error=receipt.error,
                at=report.at,
                by_device=bool(event.outcome),
            )
            detail = _receipt_detail(receipt)
        case _:
            return None
    if moved is None:
        return None
    event.status = moved.status
    event.reason = moved.reason
    event.error_message = ledger.REASONS[moved.reason]
    if isinstance(report.message, protocol.PlaybackComplete):
        _keep_receipt(event, report.message, report.at)
        _keep_words(event, report.message, words)
    elif moved.status == ledger.PLAYING:
        event.started_at = moved.at
    elif moved.status == ledger.FAILED:
        event.completed_at = moved.at
    if event.delivered_at is None and moved.status in {ledger.DELIVERED, ledger.PLAYING, ledger.COMPLETED}:
        event.delivered_at = report.at
    return Change(
        event=event,
        at=report.at,
        status=moved.status,
        reason=moved.reason,
        source="device",
        correction=moved.correction,
        detail=detail,
    )


def _keep_receipt(event: Row, receipt: protocol.PlaybackComplete, at: datetime) -> None:
    started = _believed(receipt.started_at, event, at)
    ended = _believed(receipt.ended_at, event, at)
    event.outcome = receipt.outcome
    event.started_at = started or event.started_at
    event.completed_at = ended or at
    event.start_error_us = receipt.start_error_us
    event.played_ms = receipt.played_ms
    if receipt.error and event.reason:
        event.error_message = f"{ledger.REASONS[event.reason]} The device says: {receipt.error}"


def _keep_words(event: Row, receipt: protocol.PlaybackComplete, words: Mapping[tuple[int, int], str]) -> None:
    """What was heard counts: an offline device played what its plan named before the rules were changed."""
    heard = receipt.announcement_id or 0
    title = words.get((event.client_id, heard))
    if title is not None:
        event.announcement_id, event.announcement_title = heard, title


def _receipt_detail(receipt: protocol.PlaybackComplete) -> dict[str, Any]:
    return {
        "outcome": receipt.outcome,
        "announcement_id": receipt.announcement_id,
        "started_at_us": receipt.started_at,
        "ended_at_us": receipt.ended_at,
        "start_error_us": receipt.start_error_us,
        "played_ms": receipt.played_ms,
        "error": receipt.error,
    }


def _believed(instant_us: int | None, event: Row, arrived: datetime) -> datetime | None:
    """A device's own instant, unless it lies before the order or in the future: such a clock is not believed.

    What it said stays in the history either way.
    """
    if instant_us is None:
        return None
    try:
        instant = clock.from_us(instant_us)
    except OverflowError:
        return None
    earliest = min(event.created_at, event.play_at) - BELIEVED_SLACK
    return instant if earliest <= instant <= arrived + BELIEVED_SLACK else None
