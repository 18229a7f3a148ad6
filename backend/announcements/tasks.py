"""Jobs on announcements."""

from __future__ import annotations

from celery import shared_task

from announcements import clips, preparing
from announcements.models import Announcement
from common import clock, preparation
from common.media_fields import Readiness
from common.tenancy import system_scope

ONE_ROW = "a job works on the one row it was given"


@shared_task(name="announcements.prepare_announcement", **preparation.AGAIN)
def prepare_announcement(announcement_id: int) -> None:
    """Normalises one uploaded or recorded announcement."""
    with system_scope(ONE_ROW):
        preparing.prepare(announcement_id=announcement_id)


@shared_task(name="announcements.generate_tts_audio", **preparation.AGAIN)
def generate_tts_audio(announcement_id: int) -> None:
    """Speaks one announcement."""
    with system_scope(ONE_ROW):
        preparing.speak(announcement_id=announcement_id)


JOB_OF = {Readiness.PROCESSING: prepare_announcement, Readiness.GENERATING: generate_tts_audio}
"""Which job brings an announcement out of this status."""


@shared_task(name="announcements.forget_unused_speech")
def forget_unused_speech() -> None:
    """Lets go of clips that nobody has used for long."""
    with system_scope("every business's old clips go"):
        clips.forget_unused(now=clock.now())


@shared_task(name="announcements.resume_unfinished")
def resume_unfinished() -> None:
    """Asks anew for the jobs that died with their process."""
    now = clock.now()
    with system_scope("lost work is looked for in every business"):
        for pk, status in preparing.unfinished(
            now=now, asked_before=preparation.lost_before(now, of="announcements")
        ):
            preparation.ask(JOB_OF[Readiness(status)], Announcement, pk)
