"""Builds the plan of one device: what it is made of in, `devices.plan.Plan` out.

The window is anchored to the hour, so that everybody who computes it within the hour gets the same bytes, and it
always reaches at least 24 h ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec.structs import replace

from common import clock
from devices.desired import effective_volume
from devices.models import Device
from devices.plan import Occurrence, Plan, etag_of
from events.domain import ledger
from plans.basis import SCHEDULED, Basis, Row, basis_of
from plans.programme import segments_on
from plans.shared import WORDS, Shared, Words, shared_of, words_of
from schedules.domain import occurrence_event_id

NOT_BEGUN = frozenset({ledger.PENDING, ledger.DELIVERED})


def plan_of(device: Device, *, now: datetime) -> Plan:
    """The plan of this device (with its floor and client) as of `now`, built anew."""
    basis = basis_of(device, now=now)
    return composed(device, basis, shared_of(device, basis.start, basis.end), now=now)


def composed(device: Device, basis: Basis, shared: Shared, *, now: datetime) -> Plan:
    """The device's plan, of what it shares and of what is its own. No query."""
    own = {row.announcement: _words(row, basis) for row in basis.rows if row.announcement is not None}
    scheduled = sorted(_scheduled(device, basis, shared, own, clock.to_us(now)), key=_order)
    ordered = [
        _ordered(row, own[row.announcement])
        for row in basis.rows
        if row.announcement is not None
        and row.priority not in SCHEDULED
        and row.status in NOT_BEGUN
        and not row.waits_for_device
    ]
    said = shared.words | own
    needed = dict.fromkeys(each.announcement_id for each in (*scheduled, *ordered))
    assets = [*shared.assets, *(said[pk].asset for pk in needed)]
    segments = shared.segments
    if device.floor_id is not None:
        segments = segments_on(device.pk, device.floor_id, segments)
    plan = Plan(
        device_id=device.device_id,
        generated_at=clock.to_us(now),
        valid_from=clock.to_us(basis.start),
        valid_until=clock.to_us(basis.end),
        timezone=device.floor.zone if device.floor else device.client.timezone,
        desired=basis.desired,
        assets=list({asset.sha256: asset for asset in assets}.values()),
        programme=segments,
        occurrences=sorted([*scheduled, *ordered], key=_order),
        silences=shared.silences,
    )
    return replace(plan, etag=etag_of(plan))


def _order(occurrence: Occurrence) -> tuple[int, str]:
    return occurrence.play_at, occurrence.event_id


def _scheduled(
    device: Device, basis: Basis, shared: Shared, own: Mapping[int, Words], now_us: int
) -> Iterator[Occurrence]:
    """What the device's schedules have that has not expired, with the ids of the scheduler's events.

    What is on the record ahead is told as it stands there: one that was taken back or has ended is left out, and one
    with other words than the rules choose by now keeps its own.
    """
    recorded = {str(row.pk): row for row in basis.rows if row.priority in SCHEDULED}
    volume, key = effective_volume(device), str(device.pk)
    for each in shared.occurrences:
        if each.schedule_id not in basis.schedules or each.expires_at <= now_us:
            continue
        event_id = str(occurrence_event_id(str(each.schedule_id), each.play_at, key))
        row = recorded.get(event_id)
        if row is not None and row.status not in NOT_BEGUN:
            continue
        if row is None or row.announcement == each.announcement_id:
            yield replace(each, event_id=event_id, volume=volume)
        elif row.announcement is not None and row.audio_file:
            words = own[row.announcement]
            yield replace(
                each,
                event_id=event_id,
                announcement_id=row.announcement,
                sha256=words.asset.sha256,
                volume=volume,
                lead_in_ms=words.lead_in_ms,
                title=words.title,
            )


def _words(row: Row, basis: Basis) -> Words:
    columns = {name: getattr(row, name) for name in WORDS if name != "pk"}
    return words_of(columns | {"pk": row.announcement}, basis.start)


def _ordered(row: Row, words: Words) -> Occurrence:
    return Occurrence(
        event_id=str(row.pk),
        announcement_id=words.announcement_id,
        sha256=words.asset.sha256,
        play_at=clock.to_us(row.play_at),
        expires_at=clock.to_us(row.expires_at),
        volume=row.volume,
        priority=row.priority,
        duck_db=row.duck_db,
        late=row.late,
        lead_in_ms=words.lead_in_ms,
        title=words.title,
        overrides_quiet_hours=row.override_quiet_hours,
    )
