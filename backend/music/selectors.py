"""Reading music."""

from __future__ import annotations

from common.streaming import Sound
from music.models import MusicFile

MEDIA_KIND = "music"


def media_sound(pk: int, sha256: str) -> Sound | None:
    """The track behind a signed link; None when it is gone."""
    music = MusicFile.objects.filter(pk=pk, sha256=sha256).first()
    return music.sound if music is not None else None


def earliest_with_same_content(music: MusicFile) -> int | None:
    """The id of the track that held the same bytes first in the same business, if `music` is not the first."""
    same = MusicFile.objects.filter(client_id=music.client_id, sha256=music.sha256, pk__lt=music.pk)
    first: int | None = same.order_by("pk").values_list("pk", flat=True).first()
    return first
