"""The cache of speech, by content: which clips a business has, and which of them go."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from announcements.models import SpeechClip
from common.streaming import Sound
from common.uploads import stored

MEDIA_KIND = "speech"
MOST_CLIPS = 500
MOST_BYTES = 200 * 1024 * 1024
UNUSED_FOR = timedelta(days=90)
"""A business keeps so many clips and bytes, the last used ones, and none for longer than this without use."""

_FORM = 1
"""Raised when what a key stands for changes."""


def key_of(*, kind: str, model: str, voice: str, language: str, text: str) -> str:
    """The SHA-256 (hex) of everything that decides how a prepared text sounds. Names are the provider's own."""
    parts = [_FORM, kind, model, voice, language.lower(), text]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def find(*, client_id: int, key: str, now: datetime) -> SpeechClip | None:
    """The clip of this business, counted as used now. Those of others are never given: what they say is theirs."""
    clip: SpeechClip | None = SpeechClip.objects.filter(client_id=client_id, key=key).first()
    if clip is not None and not clip.file.storage.exists(str(clip.file.name)):
        clip.delete()
        return None
    if clip is not None:
        SpeechClip.objects.filter(pk=clip.pk).update(used_at=now)
    return clip


def keep(
    *,
    client_id: int,
    key: str,
    audio: bytes,
    mime: str,
    duration_ms: int,
    kind: str,
    voice: str,
    model: str,
    cost_usd: Decimal,
    now: datetime,
) -> SpeechClip:
    """Stores a clip, and lets go of the oldest beyond the limits. If another worker was faster, theirs counts."""
    field = SpeechClip._meta.get_field("file")
    try:
        with stored(field, ContentFile(audio), mime) as name, transaction.atomic():
            clip = SpeechClip.objects.create(
                client_id=client_id,
                key=key,
                file=name,
                sha256=hashlib.sha256(audio).hexdigest(),
                mime_type=mime,
                file_size=len(audio),
                duration_ms=duration_ms,
                kind=kind,
                voice=voice,
                model=model,
                cost_usd=cost_usd,
                used_at=now,
            )
    except IntegrityError:
        return SpeechClip.objects.get(client_id=client_id, key=key)
    _trim(client_id)
    return clip


def _trim(client_id: int) -> None:
    """Removes what lies beyond the limits, the longest unused first; the last used one always stays."""
    size, gone = 0, []
    rows = SpeechClip.objects.filter(client_id=client_id).values_list("pk", "file_size")
    for place, (pk, file_size) in enumerate(rows):
        size += file_size
        if place and (place >= MOST_CLIPS or size > MOST_BYTES):
            gone.append(pk)
    if gone:
        SpeechClip.objects.filter(pk__in=gone).delete()


def forget_unused(*, now: datetime) -> int:
    """Removes what nobody used for `UNUSED_FOR`, of every business; returns how many."""
    return int(SpeechClip.objects.filter(used_at__lt=now - UNUSED_FOR).delete()[0])


def media_sound(pk: int, sha256: str) -> Sound | None:
    """The clip behind a signed link; None when it is gone."""
    clip = SpeechClip.objects.filter(pk=pk, sha256=sha256).first()
    return clip.sound if clip is not None else None
