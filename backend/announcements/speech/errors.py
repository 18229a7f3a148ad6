"""Why something cannot be spoken."""

from __future__ import annotations

from common.audio.errors import CodedError


class TextRefused(CodedError):
    """The text cannot be spoken. Codes: `text_empty`, `text_too_long`, `text_unspeakable`."""


class VoiceUnknown(CodedError):
    """No such voice. Codes: `voice_unknown`, `no_voice_for_language`."""


class SpeechFailed(CodedError):
    """The voice gave no speech.

    Codes: `engine_crashed`, `timed_out`, `no_voice_for_language`, `nothing_spoken`.
    """
