"""The work of the jobs on announcements: every sound becomes an MP3 at −16 LUFS.

A job reads the row, works for seconds on files of its own, and takes the row again under its lock. If what was
asked for has changed meanwhile, its work is thrown away: the change asked for a job of its own.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction

from ai_config.adapters.values import BACKGROUND
from announcements.alerts import tell_prepared
from announcements.models import Announcement
from announcements.speaking import ask_providers, local_record, local_voice
from announcements.speech.synthesis import synthesise
from announcements.speech.values import SpeechResult
from audit.services import record
from common import clock, preparation
from common.audio import isolated
from common.audio.errors import CodedError
from common.audio.values import Normalised
from common.media_fields import Readiness
from common.uploads import local_copy, remove_on_commit, stored

MP3 = "audio/mpeg"
ASKED = ("status", "type", "text", "voice", "language", "chime", "source_file")
"""The columns that say what is to be made."""
PATIENCE_S = 180.0
"""After this long no further provider is asked: the job has to end within its time."""

logger = logging.getLogger(__name__)


class _Overtaken(Exception):
    """The row asks for something else by now, or is gone."""


def prepare(*, announcement_id: int) -> None:
    """Brings the source of an uploaded or recorded announcement that is `processing` to the common loudness.

    It becomes `ready` or `failed`; the source is kept, for another chime is put before it and not before a copy that
    was encoded already. One whose source was not kept is made from its clip, which becomes its source. A recording
    loses the silence at its ends. Harmless when run twice, at once, or on an announcement that is gone.
    """
    _make(announcement_id, Readiness.PROCESSING, _normalised)


def speak(*, announcement_id: int) -> None:
    """Speaks the text of an announcement that is `generating`: it becomes `ready` or `failed`.

    Until then, and if it fails, the sound of the text before stays. Harmless as `prepare` is.
    """
    _make(announcement_id, Readiness.GENERATING, _spoken)


def unfinished(*, now: datetime, asked_before: datetime) -> list[tuple[int, str]]:
    """Id and status of those asked for before `asked_before` and not done; see `preparation.lost`."""
    return preparation.lost(Announcement.objects.all(), asked_before=asked_before, now=now)


def _normalised(announcement: Announcement, target: Path) -> dict[str, Any]:
    with local_copy(announcement.source_file or announcement.audio_file) as source:
        clip = isolated.normalise(
            source,
            target,
            trim_silence=announcement.type == Announcement.Type.RECORDED,
            chime=_chime(announcement),
        )
    return _columns(clip)


def _spoken(announcement: Announcement, target: Path) -> dict[str, Any]:
    text, asked, language = announcement.text, announcement.voice, announcement.language
    tried = ask_providers(
        text=text,
        voice=asked,
        language=language,
        client_id=announcement.client_id,
        bounds=BACKGROUND,
        patience_s=PATIENCE_S,
        now=clock.now(),
    )
    if tried.clip is not None and tried.record is not None:
        with local_copy(tried.clip.file) as source:
            clip = isolated.normalise(source, target, trim_silence=True, chime=_chime(announcement))
        return _columns(clip) | {"spoken_by": tried.record.voice, "speech": tried.record.as_json()}
    voice, more = local_voice(text=text, voice=asked, language=language)
    speech = synthesise(
        text, voice, target, max_chars=settings.MAX_SPEECH_CHARACTERS, chime=_chime(announcement)
    )
    told = local_record(voice, (*tried.passed_over, *more))
    return _columns(speech) | {"spoken_by": speech.voice_id, "speech": told.as_json()}


def _chime(announcement: Announcement) -> str | None:
    return None if announcement.chime == Announcement.Chime.NONE else announcement.chime


def _columns(clip: Normalised | SpeechResult) -> dict[str, Any]:
    return preparation.success(clip.loudness) | {
        "duration_ms": clip.duration_ms,
        "duration": preparation.whole_seconds(clip.duration_ms),
        "lead_in_ms": clip.lead_in_ms,
    }


def _make(pk: int, status: Readiness, make: Callable[[Announcement, Path], dict[str, Any]]) -> None:
    announcement = preparation.begin(Announcement.objects.all(), pk, status=status)
    if announcement is None:
        return
    asked = {name: getattr(announcement, name) for name in ASKED}
    try:
        with preparation.at_work(announcement), tempfile.TemporaryDirectory(prefix="announcement-") as folder:
            target = Path(folder) / "clip.mp3"
            columns = make(announcement, target)
            _keep(pk, asked, target, columns)
    except _Overtaken:
        logger.info("announcement %s was changed while it was prepared; that work is dropped", pk)
    except CodedError as error:
        logger.warning("announcement %s could not be prepared: %s", pk, error)
        _fail(pk, asked, error.code, error.detail)
    except FileNotFoundError:
        logger.exception("announcement %s has lost its source", pk)
        _fail(pk, asked, "file_lost", "The file is no longer in the storage.")


def _keep(pk: int, asked: dict[str, Any], clip: Path, columns: dict[str, Any]) -> None:
    with clip.open("rb") as file:
        columns |= {
            "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
            "file_size": file.tell(),
            "mime_type": MP3,
        }
        file.seek(0)
        with (
            stored(Announcement._meta.get_field("audio_file"), File(file), MP3) as name,
            transaction.atomic(),
        ):
            current = _locked(pk, asked)
            if current is None:
                raise _Overtaken
            if current.type == Announcement.Type.TTS or current.source_file:
                remove_on_commit(current.audio_file)
            else:
                columns["source_file"] = current.audio_file.name
            columns["audio_file"] = name
            for column, value in columns.items():
                setattr(current, column, value)
            current.save(update_fields=[*columns, "updated_at"])
            tell_prepared(current, now=clock.now())
            if "speech" in columns:
                record(
                    "speak",
                    resource="announcement",
                    resource_id=current.pk,
                    client_id=current.client_id,
                    details=columns["speech"],
                )


def _fail(pk: int, asked: dict[str, Any], code: str, detail: str) -> None:
    columns = preparation.failure(code, detail)
    with transaction.atomic():
        current = _locked(pk, asked)
        if current is not None:
            for column, value in columns.items():
                setattr(current, column, value)
            current.save(update_fields=[*columns, "updated_at"])
            tell_prepared(current, now=clock.now())


def _locked(pk: int, asked: dict[str, Any]) -> Announcement | None:
    """The row under its lock, if it still asks for the same."""
    current: Announcement | None = Announcement.objects.select_for_update(no_key=True).filter(pk=pk).first()
    same = current is not None and all(getattr(current, name) == asked[name] for name in ASKED)
    return current if same else None
