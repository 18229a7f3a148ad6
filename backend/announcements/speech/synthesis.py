"""From typed text to an MP3 that is ready to be played."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from announcements.speech.errors import SpeechFailed
from announcements.speech.text import prepare, readable
from announcements.speech.values import SpeechResult, Voice
from common.audio.errors import IsolationFailed
from common.audio.files import replacing
from common.audio.process import Bounds, run
from common.audio.values import Loudness

SLOWEST, FASTEST = 0.5, 2.0

_MEMORY, _NEURAL_MEMORY = 1 << 30, 3 << 30  # address space in bytes; a neural runtime reserves much
_FAILURES = {"timed_out": "timed_out"}  # code of the isolation: code of the speech; all others are crashes


def synthesise(
    text: str,
    voice: Voice,
    target_path: Path,
    *,
    rate: float = 1.0,
    timeout_s: float | None = None,
    max_chars: int = 5000,
    target_lufs: float = -16.0,
    ceiling_dbtp: float = -1.0,
    chime: str | None = None,
) -> SpeechResult:
    """Speaks `text` into the MP3 `target_path`, trimmed and at the target loudness.

    `rate` 0.5–2 times the voice's usual speed, else ValueError. A `chime` of `synth.CHIMES` goes before the
    words. Engine and encoder run in a process of their
    own, which is killed with all it started after `timeout_s`; left out, that is 20 s and 40 ms more for each
    character, twice what the slowest engine took on two busy cores. `target_path` appears only when it is
    whole, and nothing is left behind on failure. Safe to call from any thread. Raises TextRefused (see
    `prepare`) and SpeechFailed: `engine_crashed`, `timed_out`, `no_voice_for_language` when the text is of a
    script that the voice cannot read, `nothing_spoken`.
    """
    if not SLOWEST <= rate <= FASTEST:
        raise ValueError(f"rate {rate} is not between {SLOWEST} and {FASTEST}")
    prepared = prepare(text, max_chars=max_chars)
    if not readable(prepared, voice.language):
        detail = f"The voice {voice.label} cannot read this script. Choose a voice of the text's language."
        raise SpeechFailed("no_voice_for_language", detail)
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        spoken = Path(folder) / "speech.mp3"
        arguments = {
            "text": prepared,
            "voice": asdict(voice),
            "rate": rate,
            "target": str(spoken),
            "options": {"target_lufs": target_lufs, "ceiling_dbtp": ceiling_dbtp, "chime": chime},
        }
        bounds = Bounds(
            timeout_s=20 + 0.04 * len(prepared) if timeout_s is None else timeout_s,
            memory_bytes=_NEURAL_MEMORY if voice.engine == "piper" else _MEMORY,
        )
        try:
            answer = run("announcements.speech", "speak", arguments, bounds=bounds, raises=(SpeechFailed,))
        except IsolationFailed as failed:
            code = _FAILURES.get(failed.code, "engine_crashed")
            raise SpeechFailed(code, f"The voice {voice.label} failed. {failed.detail}") from failed
        with replacing(target_path) as part:
            shutil.copyfile(spoken, part)
    return SpeechResult(
        answer["duration_ms"], voice.engine, voice.id, Loudness(**answer["loudness"]), answer["lead_in_ms"]
    )
