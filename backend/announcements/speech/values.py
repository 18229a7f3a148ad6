"""The values that speech is spoken of with."""

from __future__ import annotations

from dataclasses import dataclass

from common.audio.values import Loudness


@dataclass(frozen=True)
class Voice:
    """A voice of an engine.

    `id` is stable ("pico:en-GB"), `name` what the engine calls it, `language` BCP 47, `label` for people,
    `quality` 0–100 by ear and repute, `gender` "female", "male" or "" if unknown, `order` the lower the
    more usual among voices of one engine and language, `source` the file of the voice if it needs one.
    """

    id: str
    engine: str
    name: str
    language: str
    label: str
    quality: int
    gender: str = ""
    order: int = 0
    source: str = ""


@dataclass(frozen=True)
class SpeechResult:
    """Speech as it was written to a file: length in ms, engine, voice id, loudness as measured.

    The first `lead_in_ms` are a chime: the loudness is of the words after it, the true peak of all.
    """

    duration_ms: int
    engine: str
    voice_id: str
    loudness: Loudness
    lead_in_ms: int = 0
