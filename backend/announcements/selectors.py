"""Reading announcements, and the voices that speak them."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from announcements.models import Announcement
from announcements.speech.text import language_of
from announcements.speech.values import Voice
from announcements.speech.voices import choose, voices
from common.streaming import Sound

MEDIA_KIND = "announcement"


def media_sound(pk: int, sha256: str) -> Sound | None:
    """The announcement behind a signed link; None when it is gone or its sound was replaced."""
    announcement = Announcement.objects.filter(pk=pk, sha256=sha256).first()
    return announcement.sound if announcement is not None else None


def voices_at_hand(*, language: str = "", engine: str = "") -> list[Voice]:
    """The voices of this server, best first. `en` finds every English voice, `en-GB` only British ones."""
    return [
        voice
        for voice in voices(_piper_folder())
        if (not language or speaks(voice.language, language)) and (not engine or voice.engine == engine)
    ]


def speaks(spoken: str, wanted: str) -> bool:
    """Whether a voice of the language `spoken` is one for `wanted` (BCP 47): `en` for every English, `en-GB` itself."""
    return f"{spoken.lower()}-".startswith(f"{wanted.replace('_', '-').lower()}-")


def voice_for(*, text: str, voice: str, language: str) -> Voice:
    """Who speaks `text`: the voice named, else the best of the language named, else of the text's script.

    Raises VoiceUnknown.
    """
    return choose(voices(_piper_folder()), voice or None, language or language_of(text))


def _piper_folder() -> Path | None:
    return Path(settings.PIPER_VOICES) if settings.PIPER_VOICES else None
