"""Writing announcements: keeping uploads, asking for speech, changing what is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from ai_config.adapters.catalogue import SPEECH
from ai_config.selectors import active_providers
from announcements import selectors
from announcements.models import Announcement
from announcements.speaking import credits_for, provider_of
from announcements.speech.errors import TextRefused, VoiceUnknown
from announcements.speech.text import prepare, readable
from announcements.tasks import JOB_OF
from announcements.voice_list import may_be_asked_for
from audit.services import changes_named
from clients.models import Client
from common import preparation
from common.errors import Refusal
from common.media_fields import Readiness
from common.preparation import whole_seconds
from common.rows import lock_row
from common.uploads import examined, stored
from common.validators import field_error
from users.models import User

SPOKEN = ("text", "voice", "language")
"""What a spoken announcement is made from."""
MADE_FROM = (*SPOKEN, "chime")
"""What is prepared anew when it changes."""


def refuse_unspeakable(*, text: str, voice: str, language: str, now: datetime) -> None:
    """Raises the `Refusal` that says why this text cannot be spoken so; returns when it can be tried.

    A provider's voice reads every script, as far as anybody knows before it is asked.
    """
    try:
        words = prepare(text, max_chars=settings.MAX_SPEECH_CHARACTERS)
    except TextRefused as refused:
        raise Refusal(refused.code, refused.detail, field="text") from refused
    if provider_of(voice) and not may_be_asked_for(voice, now=now):
        raise Refusal("voice_unknown", f"No provider offers the voice {voice!r} now.", field="voice")
    if provider_of(voice) or (not voice and active_providers(SPEECH)):
        return
    try:
        chosen = selectors.voice_for(text=words, voice=voice, language=language)
    except VoiceUnknown as unknown:
        field = "voice" if voice else "language" if language else "text"
        raise Refusal(unknown.code, unknown.detail, field=field) from unknown
    if not readable(words, chosen.language):
        raise Refusal(
            "no_voice_for_language",
            f"The voice {chosen.label} cannot read this script. Choose a voice of the text's language.",
            field="voice" if voice else "language",
        )


def refuse_unaffordable(*, client: Client, text: str, voice: str) -> None:
    """Raises Refusal `out_of_credits` when a provider's voice was asked for that the business cannot pay.

    Nothing is taken: the job does that. Who names no voice is spoken by one of this server instead.
    """
    price = credits_for(text)
    if provider_of(voice) and client.ai_credits < price:
        raise Refusal(
            "out_of_credits",
            f"This voice costs {price} AI credits, and {client.ai_credits} are left. Choose a voice that is free.",
            field="voice",
        )


def upload_announcement(
    *,
    client: Client,
    created_by: User | None,
    type: str,
    upload: UploadedFile[Any],
    fields: Mapping[str, Any],
    now: datetime,
) -> Announcement:
    """Keeps an uploaded or recorded sound and asks for its normalising; the row is `processing` until then.

    `fields` holds title, chime, category, enabled and validity. Raises Refusal with the reason, and then keeps nothing.
    """
    facts = examined(upload, max_ms=settings.MAX_ANNOUNCEMENT_MS)
    with (
        stored(Announcement._meta.get_field("source_file"), upload, facts.mime) as name,
        transaction.atomic(),
        changes_named("upload"),
    ):
        return _create(
            client=client,
            created_by=created_by,
            type=type,
            source_file=name,
            duration_ms=facts.duration_ms,
            duration=whole_seconds(facts.duration_ms),
            status=Readiness.PROCESSING,
            queued_at=now,
            **fields,
        )


@transaction.atomic
def generate_announcement(
    *, client: Client, created_by: User | None, fields: Mapping[str, Any], now: datetime
) -> Announcement:
    """Makes an announcement of typed text and asks for its speaking; the row is `generating` until then.

    `fields` holds title, text, voice, language, chime, category, enabled and validity. Raises Refusal: `text_empty`,
    `text_too_long`, `text_unspeakable`, `voice_unknown`, `no_voice_for_language`, `out_of_credits`.
    """
    refuse_unspeakable(**{name: fields.get(name, "") for name in SPOKEN}, now=now)
    refuse_unaffordable(client=client, text=fields["text"], voice=fields.get("voice", ""))
    with changes_named("generate"):
        return _create(
            client=client,
            created_by=created_by,
            type=Announcement.Type.TTS,
            status=Readiness.GENERATING,
            queued_at=now,
            **fields,
        )


@transaction.atomic
def update_announcement(
    *, announcement: Announcement, changes: Mapping[str, Any], now: datetime
) -> Announcement:
    """Changes title, category, enabled, validity, chime, and of a spoken one text, voice and language.

    New words and another chime are prepared anew: the status goes to `generating` or `processing`, and what is
    played stays the earlier sound until the new one is ready. Naming them after a failure tries again. No other
    column is touched, so that a job's work meanwhile is not undone. Raises Refusal as `generate_announcement` does.
    """
    locked: Announcement = lock_row(Announcement.objects.all(), announcement.pk)
    named = [name for name in MADE_FROM if name in changes]
    anew = any(changes[name] != getattr(locked, name) for name in named)
    anew = anew or bool(named and locked.status == Readiness.FAILED)
    for name, value in changes.items():
        setattr(locked, name, value)
    written = list(changes)
    if anew:
        spoken = locked.type == Announcement.Type.TTS
        if spoken:
            refuse_unspeakable(**{name: getattr(locked, name) for name in SPOKEN}, now=now)
            refuse_unaffordable(client=locked.client, text=locked.text, voice=locked.voice)
        wanted = {
            "status": Readiness.GENERATING if spoken else Readiness.PROCESSING,
            "failure_code": "",
            "failure_detail": "",
            "queued_at": now,
            "attempts": 0,
            "worked_at": None,
        }
        for name, value in wanted.items():
            setattr(locked, name, value)
        written += wanted
        _ask(locked)
    _refuse_empty_validity(locked)
    locked.full_clean(exclude={"created_by"})
    locked.save(update_fields=[*written, "updated_at"])
    return locked


def _create(**fields: Any) -> Announcement:
    announcement = Announcement(**fields)
    _refuse_empty_validity(announcement)
    announcement.full_clean(exclude={"created_by"})
    announcement.save()
    _ask(announcement)
    return announcement


def _refuse_empty_validity(announcement: Announcement) -> None:
    first, last = announcement.valid_from, announcement.valid_until
    if first is not None and last is not None and last <= first:
        raise field_error("valid_until", "before_start", "Its validity ends before it begins.")


def _ask(announcement: Announcement) -> None:
    preparation.ask(JOB_OF[Readiness(announcement.status)], Announcement, announcement.pk)
