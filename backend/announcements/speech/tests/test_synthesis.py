"""Speech as it is heard: every engine at hand, and what goes wrong."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from announcements.speech.engines import ENGINES, one_line
from announcements.speech.errors import SpeechFailed, TextRefused
from announcements.speech.synthesis import synthesise
from announcements.speech.text import language_of
from announcements.speech.values import Voice
from announcements.speech.voices import choose, voices
from common.audio.encode import write_audio
from common.audio.facts import inspect
from common.audio.loudness import analyse
from common.audio.values import Limits

SENTENCE = "Good morning. The shop closes in fifteen minutes."
PIPER_FOLDER = Path(os.environ["PIPER_VOICES"]) if "PIPER_VOICES" in os.environ else None


AT_HAND = [engine for engine in ENGINES if any(voice.engine == engine for voice in voices(PIPER_FOLDER))]
"""The engines of this machine: the one that comes with the package, and what the system happens to have."""


def test_one_engine_is_always_at_hand() -> None:
    assert "espeak" in AT_HAND


def of_engine(engine: str) -> Voice:
    found = [voice for voice in voices(PIPER_FOLDER) if voice.engine == engine]
    return choose(found, None, "en")


@pytest.fixture
def espeak() -> Voice:
    return choose(voices(), "espeak:en-gb", None)


@pytest.mark.parametrize("engine", AT_HAND)
def test_every_engine_at_hand_speaks(tmp_path: Path, engine: str) -> None:
    voice = of_engine(engine)
    result = synthesise(SENTENCE, voice, tmp_path / "a.mp3")
    facts = inspect(tmp_path / "a.mp3", Limits())
    assert (facts.mime, facts.channels, facts.duration_ms) == ("audio/mpeg", 1, result.duration_ms)
    assert (result.engine, result.voice_id) == (engine, voice.id)
    assert 2000 < result.duration_ms < 6000
    analysis = analyse(tmp_path / "a.mp3")
    assert analysis.loudness == result.loudness
    assert result.loudness.integrated_lufs == pytest.approx(-16, abs=0.5)
    assert result.loudness.true_peak_dbtp is not None
    assert result.loudness.true_peak_dbtp <= -1
    first, last = analysis.audible(0)
    assert first < analysis.rate * 0.1
    assert analysis.samples - last < analysis.rate * 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp3"]


@pytest.mark.parametrize("engine", AT_HAND)
def test_rate_changes_the_length(tmp_path: Path, engine: str) -> None:
    voice = of_engine(engine)
    slow, fast = (
        synthesise("Good morning.", voice, tmp_path / "a", rate=rate).duration_ms for rate in (0.8, 1.4)
    )
    assert 1.3 < slow / fast < 2.3


@pytest.mark.parametrize("engine", AT_HAND)
def test_text_is_only_text(tmp_path: Path, engine: str) -> None:
    voice = of_engine(engine)
    with tempfile.TemporaryDirectory(prefix="t") as folder:  # a short path, since it is spelt out aloud
        trap = Path(folder) / "t"
        text = f'-o {trap} $(touch {trap}) (system "touch {trap}") `:` < six <voice \\pause=9\\'
        assert synthesise(text, voice, tmp_path / "a").duration_ms > 2000
        assert not trap.exists()


@pytest.mark.parametrize(
    "text", ["word and more " * 350, "A sentence. " * 300, "Line one.\nline two\n\nline three.", "x" * 5000]
)
def test_a_neural_voice_gets_one_line_of_sentences_that_end(text: str) -> None:
    line = one_line(text)
    assert "\n" not in line
    assert line.replace(".", "").lower().split() == text.replace(".", "").lower().split()
    longest_word = max(len(word) for word in text.split())
    assert max(len(sentence) for sentence in line.split(". ")) <= max(420, longest_word)


def test_markup_is_spoken_as_its_text(tmp_path: Path, espeak: Voice) -> None:
    marked = "<speak>Hello <break time='5s'/><prosody rate='x-slow'>there</prosody></speak>"
    plain, stripped = (
        synthesise(text, espeak, tmp_path / "a").duration_ms for text in ("Hello there", marked)
    )
    assert plain == stripped


@pytest.mark.parametrize("engine", AT_HAND)
def test_all_lines_are_spoken(tmp_path: Path, engine: str) -> None:
    voice = of_engine(engine)
    one, three = (
        synthesise(text, voice, tmp_path / "a").duration_ms for text in ("Welcome.", "Welcome.\n" * 3)
    )
    assert three > 2 * one


@pytest.mark.parametrize(
    "text", ["مرحبا بكم في متجرنا", "欢迎光临本店", "नमस्ते, दुकान बंद होगी", "Добро пожаловать"]
)
def test_other_scripts_are_spoken_by_their_voice_and_refused_by_others(
    tmp_path: Path, espeak: Voice, text: str
) -> None:
    voice = choose(voices(), None, language_of(text))
    assert synthesise(text, voice, tmp_path / "a").duration_ms > 600
    with pytest.raises(SpeechFailed) as caught:
        synthesise(text, espeak, tmp_path / "b")
    assert caught.value.code == "no_voice_for_language"


def test_emoji_are_passed_over(tmp_path: Path, espeak: Voice) -> None:
    with_emoji, without = (
        synthesise(text, espeak, tmp_path / "a").duration_ms
        for text in ("Big sale 🎉🎉 today", "Big sale today")
    )
    assert with_emoji == without


@pytest.mark.parametrize(
    ("text", "code"), [("🎉🎉", "text_unspeakable"), ("x" * 20_000, "text_too_long"), (" ", "text_empty")]
)
def test_refusals_leave_nothing(tmp_path: Path, espeak: Voice, text: str, code: str) -> None:
    with pytest.raises(TextRefused) as caught:
        synthesise(text, espeak, tmp_path / "a")
    assert caught.value.code == code
    assert not list(tmp_path.iterdir())


def test_an_impossible_rate_is_a_fault_of_the_caller(tmp_path: Path, espeak: Voice) -> None:
    with pytest.raises(ValueError, match="rate"):
        synthesise("Hello", espeak, tmp_path / "a", rate=3)


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Voice:
    """A voice of Pico whose program is `script`, found first on the path."""
    program = folder / "bin" / "pico2wave"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return Voice("pico:en-GB", "pico", "en-GB", "en-GB", "Pico", 70)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 3", "engine_crashed"),
        ("kill -SEGV $$", "engine_crashed"),
        ("exit 0", "nothing_spoken"),
        ('cat > /dev/null; : > "$4"', "nothing_spoken"),
        ('head -c 20000 /dev/urandom > "$4"', "nothing_spoken"),
        ("sleep 30", "timed_out"),
    ],
)
def test_engines_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, code: str) -> None:
    voice = stand_in(tmp_path, monkeypatch, script)
    target = tmp_path / "out"
    target.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    started = time.monotonic()
    with pytest.raises(SpeechFailed) as caught:
        synthesise("Hello", voice, target / "a", timeout_s=2 if code == "timed_out" else 30)
    assert caught.value.code == code
    assert time.monotonic() - started < 20
    assert not list(target.iterdir())
    assert not list((tmp_path / "tmp").iterdir())


def test_a_voice_that_espeak_does_not_know(tmp_path: Path, espeak: Voice) -> None:
    with pytest.raises(SpeechFailed) as caught:
        synthesise("Hello", replace(espeak, name="no/such"), tmp_path / "a")
    assert caught.value.code == "engine_crashed"


def test_eight_threads_speak_at_once(tmp_path: Path, espeak: Voice) -> None:
    together = threading.Barrier(8)

    def speak(number: int) -> int:
        together.wait()
        return synthesise("one " * (number + 2), espeak, tmp_path / str(number)).duration_ms

    with ThreadPoolExecutor(8) as pool:
        lengths = list(pool.map(speak, range(8)))
    assert lengths == sorted(set(lengths))
    assert len(list(tmp_path.iterdir())) == 8


def test_silence_around_speech_is_trimmed_and_silence_alone_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = tmp_path / "sound.wav"
    voice = stand_in(tmp_path, monkeypatch, f'cp {sound} "$4"')
    quiet = np.zeros((1, 16_000), np.float32)
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(16_000, dtype=np.float32) / 16_000)[np.newaxis]
    write_audio(sound, np.concatenate([quiet, tone, quiet], axis=1), 16_000, "wav")
    assert synthesise("Hello", voice, tmp_path / "a").duration_ms == pytest.approx(1100, abs=15)
    write_audio(sound, quiet, 16_000, "wav")
    with pytest.raises(SpeechFailed) as caught:
        synthesise("Hello", voice, tmp_path / "b")
    assert caught.value.code == "nothing_spoken"
    assert not (tmp_path / "b").exists()
