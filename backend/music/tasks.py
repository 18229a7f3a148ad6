"""Jobs on music."""

from __future__ import annotations

from celery import shared_task

from common import clock, preparation
from common.tenancy import system_scope
from music import measuring
from music.models import MusicFile


@shared_task(name="music.measure_music", **preparation.AGAIN)
def measure_music(music_id: int) -> None:
    """Measures one track."""
    with system_scope("a job works on the one row it was given"):
        measuring.measure(music_id=music_id)


@shared_task(name="music.resume_unfinished")
def resume_unfinished() -> None:
    """Asks anew for the measurements that died with their process."""
    now = clock.now()
    with system_scope("lost work is looked for in every business"):
        for pk in measuring.unfinished(now=now, asked_before=preparation.lost_before(now, of="music")):
            preparation.ask(measure_music, MusicFile, pk)
