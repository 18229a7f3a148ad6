"""What the child process of `announcements.speech` can be asked: JSON in, JSON out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from announcements.speech.engines import ENGINES
from announcements.speech.errors import SpeechFailed
from announcements.speech.values import Voice
from common.audio.encode import normalise
from common.audio.errors import AudioRefused


def speak(
    text: str, voice: dict[str, Any], rate: float, target: str, options: dict[str, Any]
) -> dict[str, Any]:
    """Speaks prepared text into an MP3 at the target loudness. Raises SpeechFailed."""
    speaker = Voice(**voice)
    engine = ENGINES[speaker.engine]
    raw = Path(target).with_name("raw.wav")
    engine.speak(text, speaker, rate, raw)
    if not raw.exists():
        raise SpeechFailed("nothing_spoken", f"The voice {speaker.label} gave no sound for this text.")
    tempo = 1.0 if engine.own_rate else rate
    try:
        result = normalise(raw, Path(target), trim_silence=True, tempo=tempo, **options)
    except AudioRefused as refused:
        detail = f"The voice {speaker.label} gave no usable sound. {refused.detail}"
        raise SpeechFailed("nothing_spoken", detail) from refused
    if result.loudness.integrated_lufs is None:
        raise SpeechFailed("nothing_spoken", f"The voice {speaker.label} was silent for this text.")
    return {
        "duration_ms": result.duration_ms,
        "loudness": asdict(result.loudness),
        "lead_in_ms": result.lead_in_ms,
    }
