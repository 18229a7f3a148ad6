"""Which voices this machine has, and which of them to take."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from announcements.speech.discovery import FINDERS
from announcements.speech.errors import VoiceUnknown
from announcements.speech.values import Voice

DEFAULT_LANGUAGE = "en"

_REGION_BONUS = 25  # a voice of the very region asked for outranks a better one of another by this much
_ALIASES = {"cmn": "zh", "no": "nb", "iw": "he", "in": "id", "tl": "fil"}


@lru_cache(maxsize=8)
def voices(piper_folder: Path | None = None) -> tuple[Voice, ...]:
    """All voices at hand, best first; found once per process (`voices.cache_clear()` looks again).

    `piper_folder` holds Piper voices as pairs of `NAME.onnx` and `NAME.onnx.json`; without it Piper offers
    none. Starts no engine but `flite -lv`.
    """
    found = [voice for find in FINDERS for voice in find(piper_folder)]
    return tuple(sorted(found, key=lambda voice: (-voice.quality, voice.language.split("-")[0], voice.order)))


def _tag(language: str) -> str:
    """A language tag in lower case with the usual name of its primary language."""
    primary, *rest = language.replace("_", "-").lower().split("-")
    return "-".join([_ALIASES.get(primary, primary), *rest])


def choose(at_hand: Sequence[Voice], voice_id: str | None, language: str | None) -> Voice:
    """The voice `voice_id`, else the best for `language` (BCP 47), else the best English one.

    A better voice of another region is taken only if it is better by more than 25 of 100. Raises
    VoiceUnknown: `voice_unknown`, `no_voice_for_language`.
    """
    if voice_id is not None:
        for voice in at_hand:
            if voice.id == voice_id:
                return voice
        raise VoiceUnknown("voice_unknown", f"There is no voice {voice_id!r} on this system.")
    wanted = _tag(language or DEFAULT_LANGUAGE)
    primary = wanted.split("-")[0]
    speakers = [voice for voice in at_hand if _tag(voice.language).split("-")[0] == primary]
    if not speakers:
        raise VoiceUnknown("no_voice_for_language", f"No voice on this system speaks {language or wanted!r}.")

    def worth(voice: Voice) -> tuple[int, int]:
        return voice.quality + _REGION_BONUS * (_tag(voice.language) == wanted), -voice.order

    return max(speakers, key=worth)
