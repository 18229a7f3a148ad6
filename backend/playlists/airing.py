"""The announcements of a programme on the record: a row of the ledger for each device, ahead of its instant.

The devices play them from their plans; nothing is pushed but to plain ones, which know no plan. A device that was
offline may hand in a receipt for an announcement that has no row: `ProgrammePlays` finds it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from common import clock
from common.tenancy import system_scope
from devices import bus
from devices.desired import effective_volume
from devices.hub import Frame
from devices.models import Device
from devices.protocol import CancelAnnouncement
from events import moves, planned
from events.domain import ledger
from events.models import PlayEvent
from events.ports import PlannedEvent, PlannedPlay, Question
from playlists.content import announcements, sound_of, told
from playlists.domain import Segment, programme_event_id, programme_play_id
from playlists.models import FloorProgramme
from playlists.selectors import REACH_US, revisions_of, segments_of
from zones.domain.wallclock import HOUR_US

AHEAD = timedelta(minutes=2)
"""Rows are written this long before their instant."""
RECORDED_FOR = timedelta(days=7)
"""After a longer outage only what was missed in its last week is written down."""
LOCKED_LOOK = timedelta(minutes=10)
"""How often a locked business is looked at again."""
AT_ONCE = 50
"""Floors of one turn of the tick."""
MOST_REVISIONS = 50
"""Newest revisions by which an offline device's receipt is looked for."""
DUCK_DB = 0.0
"""The programme makes room for its own announcements; nothing sounds beneath them."""


def plays_of(segments: Iterable[Segment], floor_pk: int, devices: Sequence[Device]) -> Iterator[PlannedPlay]:
    """The announcements among `segments` on each of these devices of the floor (which come with it).

    One that a device did not begin in time it joins where the others are, and not after its end.
    """
    floor = str(floor_pk)
    for segment in announcements(list(segments)) if devices else ():
        yield PlannedPlay(
            play_id=programme_play_id(segment.playlist_id, floor, segment.start),
            client_pk=devices[0].client_id,
            floor_pk=floor_pk,
            announcement_pk=sound_of(segment).pk,
            priority=ledger.PLAYLIST,
            play_at=segment.start,
            expires_at=segment.end,
            duck_db=DUCK_DB,
            late="join",
            events=[
                PlannedEvent(
                    programme_event_id(segment.playlist_id, floor, segment.start, str(device.pk)),
                    device.pk,
                    effective_volume(device),
                )
                for device in devices
            ],
        )


# --- ahead -----------------------------------------------------------------------------------------------


def write_ahead(*, now: datetime) -> int:
    """Writes the rows of all announcements that start within AHEAD; returns how many rows it gave.

    What was due while no server ran is recorded as `missed`; the receipt of a device that played it from its
    plan corrects that. Several callers at once, and one that died half-way, do no harm.
    """
    with system_scope("every client's programmes are recorded"):
        due = FloorProgramme.objects.filter(announcements_from__lte=now + AHEAD).order_by(
            "announcements_from"
        )
        return sum(_write_ahead(pk, now) for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]))


@transaction.atomic
def _write_ahead(floor_pk: int, now: datetime) -> int:
    rows = FloorProgramme.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
    programme = (
        rows.filter(pk=floor_pk, announcements_from__lte=now + AHEAD).select_related("floor__client").first()
    )
    if programme is None or programme.announcements_from is None:
        return 0
    if programme.floor.client.lock(now) is not None:
        programme.announcements_from = now + LOCKED_LOOK
        programme.save(update_fields=["announcements_from"])
        return 0
    first = clock.to_us(max(programme.announcements_from, now - RECORDED_FOR))
    until = clock.to_us(now + AHEAD)
    told_until = max(first - first % HOUR_US + REACH_US, until)
    spoken = announcements(segments_of(floor_pk, first, told_until))
    due = [segment for segment in spoken if first <= segment.start < until]
    written = 0
    if due:
        devices = list(Device.objects.filter(floor_id=floor_pk, revoked_at=None).select_related("floor"))
        plays = list(plays_of(due, floor_pk, devices))
        over = [play for play in plays if play.expires_at <= clock.to_us(now)]
        written = planned.insert(over, now=now, reason="missed").number
        written += planned.insert([play for play in plays if play not in over], now=now).number
    coming = next((segment.start for segment in spoken if segment.start >= until), told_until)
    programme.announcements_from = clock.from_us(coming)
    programme.save(update_fields=["announcements_from"])
    return written


def overrule(programme: FloorProgramme, effective: datetime, *, now: datetime) -> None:
    """A new revision takes effect at `effective`: rows written ahead that are not in it any more are closed.

    `programme` is locked by the caller, who saves it. Devices learn it from their plans, plain ones are told.
    """
    since = programme.announcements_from or now
    rows = (
        PlayEvent.objects.select_for_update(of=("self",), no_key=True)
        .select_related("device")
        .filter(
            floor_id=programme.pk,
            priority=ledger.PLAYLIST,
            status__in=[ledger.PENDING, ledger.DELIVERED],
            play_at__gte=effective,
            expires_at__gte=effective,  # says nothing new, and has an index of open plays
        )
        .order_by("play_at", "pk")
    )
    first, last = clock.to_us(effective), max(clock.to_us(since), clock.to_us(effective)) + HOUR_US
    holds = {
        programme_play_id(segment.playlist_id, str(programme.pk), segment.start)
        for segment in announcements(segments_of(programme.pk, first, last))
    }
    gone = [event for event in rows if event.play_id not in holds]
    for event in gone:
        event.status, event.reason = ledger.FAILED, "superseded"
        event.error_message = ledger.REASONS["superseded"]
        event.completed_at = now
        if event.device is not None and event.device.plain:
            bus.publish_on_commit(Frame([event.device.pk], CancelAnnouncement(event_id=str(event.pk))))
    moves.keep(gone, moves.became(gone, now, "server"))
    programme.announcements_from = min(since, max(effective, now))


# --- afterwards ------------------------------------------------------------------------------------------


class ProgrammePlays:
    """`events.ports.PlannedEvents` over the programmes."""

    def planned(self, questions: Sequence[Question]) -> Iterable[PlannedPlay]:
        """The announcements that these devices had in a plan, by whatever revision it was made.

        A device that was offline did not hear of a change. One that has been moved since is looked for on the
        floor where it hangs now.
        """
        devices = Device.objects.select_related("floor").in_bulk(
            [question.device_pk for question in questions]
        )
        for question in questions:
            device = devices.get(question.device_pk)
            if device is not None and device.floor_id is not None:
                yield from _asked(question, device, device.floor_id)


def _asked(question: Question, device: Device, floor_pk: int) -> Iterator[PlannedPlay]:
    wanted = set(question.event_ids)
    first = question.earliest - question.earliest % HOUR_US
    last = max(question.latest - question.latest % HOUR_US + HOUR_US, first + REACH_US)
    revisions = revisions_of(floor_pk, question.earliest - REACH_US)
    for revision in reversed(revisions[-MOST_REVISIONS:]):
        heard = [
            segment
            for segment in announcements(told(floor_pk, revision, first, last))
            if question.earliest <= segment.start < question.latest
        ]
        for play in plays_of(heard, floor_pk, [device]):
            (event,) = play.events
            if event.event_id in wanted:
                wanted.discard(event.event_id)
                yield play
        if not wanted:
            return
