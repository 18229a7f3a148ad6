"""From changed rows to a new revision of a floor's programme.

A change marks its floors in its own transaction (`changed`); the tick reads them again (`renew`), so that a burst
of changes makes one revision and one word to the devices, and no change is lost with the process that made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from announcements.models import Announcement
from common import clock
from common.stamps import new_stamp
from common.tenancy import system_scope
from devices.models import Device
from devices.services import announce_plan
from music.models import MusicFile
from playlists import airing
from playlists.content import Sound, sound_of
from playlists.domain import Kind, Segment, sounding, takes_effect
from playlists.models import ChannelPlaylistFloor, FloorProgramme, ProgrammeRevision
from playlists.selectors import rows_of, segments_of

LEAD_US = 5_000_000
"""A change is not heard sooner than this while something sounds: the devices must hear of it first."""
LOOK_AGAIN_AFTER = timedelta(seconds=5)
"""How soon a programme is read again that waits for a sound to be prepared."""
KEPT_FOR = timedelta(days=8)
"""A revision that was overruled before explains nothing that may still be asked."""
AT_ONCE = 50
"""Floors of one turn of the tick."""


def changed(*, floors: Iterable[int]) -> None:
    """Marks the programmes of these floors, in the transaction of the change that they must follow."""
    with system_scope("whoever changes a row changes the programmes made of it"):
        FloorProgramme.objects.filter(pk__in=set(floors)).update(stale=True, stamp=new_stamp())


def sound_changed(*, client: int) -> None:
    """Another title, another file or none: what was kept of this business's programmes does not hold any more.

    Of all of them, for a floor may still sound what has left its playlists.
    """
    with system_scope("whoever changes a sound changes what was told of it"):
        FloorProgramme.objects.filter(floor__client_id=client).update(stamp=new_stamp())


def floors_playing(**items: object) -> list[int]:
    """The floors to which a playlist with such items is assigned: `floors_playing(announcement_id=7)`."""
    with system_scope("whoever changes a sound changes the programmes made of it"):
        of_items = {f"playlist__items__{name}": value for name, value in items.items()}
        found = ChannelPlaylistFloor.objects.filter(**of_items).order_by()
        return list(found.values_list("floor_id", flat=True).distinct())


def renew(*, now: datetime) -> int:
    """Reads the marked programmes again and tells their devices; returns how many there were."""
    with system_scope("every client's programmes are renewed"):
        marked = _marked(now).values_list("pk", flat=True)[:AT_ONCE]
        return sum(_renew(floor_pk, now) for floor_pk in list(marked))


def _marked(now: datetime) -> QuerySet[FloorProgramme]:
    return FloorProgramme.objects.filter(Q(stale=True) | Q(look_again_at__lte=now))


@transaction.atomic
def _renew(floor_pk: int, now: datetime) -> bool:
    """Renews one programme, unless somebody else does."""
    programme = (
        _marked(now)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("floor__client")
        .filter(pk=floor_pk)
        .first()
    )
    if programme is None:
        return False
    rows = rows_of(programme.floor)
    content = rows.content.encoded()
    newest = ProgrammeRevision.objects.filter(floor_id=floor_pk).order_by("-pk").first()
    differs = bool(rows.content.playlists) if newest is None else newest.content != content
    if differs:
        effective = clock.from_us(_effective_us(floor_pk, clock.to_us(now)))
        ProgrammeRevision.objects.create(
            floor_id=floor_pk, effective_at=effective, content=content, created_at=now
        )
        _forget_old(floor_pk, now)
        airing.overrule(programme, effective, now=now)
    if differs or programme.stale:
        announce_plan(devices=Device.objects.filter(floor_id=floor_pk).values_list("pk", flat=True))
    programme.stale = False
    programme.look_again_at = now + LOOK_AGAIN_AFTER if rows.waits else None
    programme.save(update_fields=["stale", "look_again_at", "announcements_from"])
    return True


def _effective_us(floor_pk: int, now: int) -> int:
    """When a change made now is heard: at a boundary of what sounds, at once in silence.

    What sounds but was removed is no longer there to be played to its end.
    """
    heard = _still_there(segments_of(floor_pk, now, now + LEAD_US))
    return takes_effect(heard, now + LEAD_US) if sounding(heard, now) else now


def _still_there(segments: Iterable[Segment]) -> list[Segment]:
    """Those segments whose sound has not been removed or replaced."""
    found = list(segments)
    there: dict[Kind, set[Sound]] = {
        Kind.MUSIC: _sounds(MusicFile, found, Kind.MUSIC),
        Kind.ANNOUNCEMENT: _sounds(Announcement, found, Kind.ANNOUNCEMENT),
    }
    return [segment for segment in found if sound_of(segment) in there[segment.kind]]


def _sounds(
    model: type[MusicFile] | type[Announcement], segments: Iterable[Segment], kind: Kind
) -> set[Sound]:
    pks = {sound_of(segment).pk for segment in segments if segment.kind is kind}
    rows = model.objects.filter(pk__in=pks).values_list("pk", "sha256") if pks else ()
    return {Sound(pk, sha256) for pk, sha256 in rows}


def _forget_old(floor_pk: int, now: datetime) -> None:
    """Removes the revisions that were overruled long ago; the one in force at that time stays."""
    rows = ProgrammeRevision.objects.filter(floor_id=floor_pk)
    in_force_then = rows.filter(effective_at__lte=now - KEPT_FOR).order_by("-pk").first()
    if in_force_then is not None:
        rows.filter(pk__lt=in_force_then.pk).delete()
