"""What a change makes of the rows that were written ahead by the rules before it.

A row that still holds stays. One whose occurrence is gone, suppressed or of other words is closed, and its device
told; its id is used up, so other words are first heard at the next occurrence. One that was only suppressed, and is
due now, is opened again: no device knew of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from announcements.models import Announcement
from devices import bus
from devices.hub import Frame
from devices.protocol import CancelAnnouncement
from events import moves
from events.domain import ledger
from events.models import PlayEvent
from schedules.domain import Reason
from schedules.models import Schedule, ScheduleOccurrence
from schedules.plays import Fate

SUPPRESSED = frozenset(str(reason) for reason in Reason)


def overrule(schedules: Iterable[Schedule], fates: Mapping[int, Sequence[Fate]], *, now: datetime) -> None:
    """Brings the future rows of these schedules into line with `fates`, what they have now."""
    pks = [schedule.pk for schedule in schedules]
    coming = ScheduleOccurrence.objects.filter(schedule_id__in=pks, play_at__gt=now)
    rows = PlayEvent.objects.select_for_update(of=("self",), no_key=True).filter(
        play_id__in=coming.values("play_id"),
        outcome="",
        status__in=[ledger.PENDING, ledger.DELIVERED, ledger.FAILED],
    )
    wanted = {event.event_id: fate for pk in pks for fate in fates.get(pk, ()) for event in fate.play.events}
    titles = _titles(wanted.values())
    moved: list[PlayEvent] = []
    for event in rows:
        fate = wanted.get(event.pk)
        if event.status == ledger.FAILED:
            if fate is not None and not fate.reason and event.reason in SUPPRESSED:
                moved.append(_opened(event, fate, titles))
        elif fate is None or fate.reason or fate.play.announcement_pk != event.announcement_id:
            moved.append(_closed(event, fate.reason if fate is not None else "", now))
    moves.keep(moved, moves.became(moved, now, "server"))


def _closed(event: PlayEvent, reason: str, now: datetime) -> PlayEvent:
    event.status, event.reason = ledger.FAILED, reason or "superseded"
    event.error_message = ledger.REASONS[event.reason]
    event.completed_at = now
    if event.device_id is not None:
        bus.publish_on_commit(Frame([event.device_id], CancelAnnouncement(event_id=str(event.pk))))
    return event


def _opened(event: PlayEvent, fate: Fate, titles: Mapping[int, str]) -> PlayEvent:
    event.status, event.reason, event.error_message, event.completed_at = ledger.PENDING, "", "", None
    event.announcement_id = fate.play.announcement_pk
    event.announcement_title = titles.get(fate.play.announcement_pk or 0, "")
    return event


def _titles(fates: Iterable[Fate]) -> dict[int, str]:
    pks = {fate.play.announcement_pk for fate in fates if fate.play.announcement_pk is not None}
    return dict(Announcement.objects.filter(pk__in=pks).values_list("pk", "title"))
