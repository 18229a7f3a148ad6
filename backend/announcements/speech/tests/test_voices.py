"""The voices at hand, and which one is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from announcements.speech import discovery
from announcements.speech.discovery import bcp47
from announcements.speech.errors import VoiceUnknown
from announcements.speech.values import Voice
from announcements.speech.voices import choose, voices


def test_the_bundled_voice_speaks_many_languages() -> None:
    found = voices()
    ids = [voice.id for voice in found]
    assert len(ids) == len(set(ids))
    languages = {voice.language for voice in found if voice.engine == "espeak"}
    wanted = {
        "en-GB",
        "en-US",
        "de",
        "fr-FR",
        "es",
        "es-419",
        "it",
        "ar",
        "hi",
        "zh",
        "pt",
        "pt-BR",
        "nl",
        "pl",
    }
    assert wanted <= languages
    assert {"tr", "ru", "uk", "sv", "nb", "da", "fi", "el", "he", "ja", "ko", "vi", "id", "th"} <= languages
    assert {voice.gender for voice in found if voice.engine == "espeak"} == {"female", "male"}
    assert all(voice.label and 0 <= voice.quality <= 100 for voice in found)
    assert voices() is found


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("en-us", "en-US"),
        ("en_GB", "en-GB"),
        ("cmn", "zh"),
        ("es-419", "es-419"),
        ("vi-vn-x-south", "vi-VN-x-south"),
        ("en-gb-x-rp", "en-GB-x-rp"),
    ],
)
def test_language_tags(code: str, tag: str) -> None:
    assert bcp47(code) == tag


def v(voice_id: str, language: str, quality: int, order: int = 0) -> Voice:
    return Voice(voice_id, voice_id.split(":")[0], voice_id, language, voice_id, quality, order=order)


AT_HAND = (
    v("piper:joe", "en-US", 90),
    v("pico:gb", "en-GB", 70),
    v("rh:ru", "ru", 60),
    v("es:gb", "en-GB", 20, 4),
    v("es:us", "en-US", 20, 6),
    v("es:br", "pt-BR", 20, 12),
    v("es:pt", "pt", 20, 10),
    v("es:zh", "zh", 20),
    v("es:ru", "ru", 20),
    v("es:nb", "nb", 20),
)


@pytest.mark.parametrize(
    ("language", "chosen"),
    [
        (None, "piper:joe"),
        ("en", "piper:joe"),
        ("en-GB", "pico:gb"),
        ("en_gb", "pico:gb"),
        ("en-AU", "piper:joe"),
        ("pt", "es:pt"),
        ("pt-BR", "es:br"),
        ("pt-AO", "es:pt"),
        ("zh-CN", "es:zh"),
        ("cmn", "es:zh"),
        ("no", "es:nb"),
        ("ru-RU", "rh:ru"),
    ],
)
def test_the_best_voice_for_a_language(language: str | None, chosen: str) -> None:
    assert choose(AT_HAND, None, language).id == chosen


def test_a_better_voice_of_another_region_wins_only_by_far() -> None:
    near = (v("a:us", "en-US", 60), v("b:gb", "en-GB", 36))
    far = (v("a:us", "en-US", 60), v("b:gb", "en-GB", 34))
    assert choose(near, None, "en-GB").id == "b:gb"
    assert choose(far, None, "en-GB").id == "a:us"


def test_a_named_voice_is_taken_whatever_the_language() -> None:
    assert choose(AT_HAND, "es:ru", "en").id == "es:ru"


@pytest.mark.parametrize(
    ("voice_id", "language", "code"),
    [
        ("nobody:x", None, "voice_unknown"),
        (None, "tlh", "no_voice_for_language"),
        ("", "en", "voice_unknown"),
    ],
)
def test_unknown_voices(voice_id: str | None, language: str | None, code: str) -> None:
    with pytest.raises(VoiceUnknown) as caught:
        choose(AT_HAND, voice_id, language)
    assert caught.value.code == code


def test_piper_voices_are_those_with_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"audio": {"quality": "high"}, "language": {"code": "de_DE"}, "dataset": "thorsten"}
    for name in ("good", "lonely"):
        (tmp_path / f"{name}.onnx").touch()
    (tmp_path / "good.onnx.json").write_text(json.dumps(about))
    monkeypatch.setattr(discovery.shutil, "which", lambda name: f"/bin/{name}" if name == "piper" else None)
    assert [
        (voice.id, voice.language, voice.quality) for voice in voices(tmp_path) if voice.engine == "piper"
    ] == [("piper:good", "de-DE", 95)]
    voices.cache_clear()
    assert not [voice for voice in voices() if voice.engine != "espeak"]
    voices.cache_clear()


def test_rhvoice_is_found_by_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, language, gender in (
        ("Anna", "Russian", "female"),
        ("X y", "Russian", ""),
        ("Q", "Klingon", ""),
    ):
        folder = tmp_path / "RHVoice/voices" / name
        folder.mkdir(parents=True)
        (folder / "voice.info").write_text(f"name={name}\nlanguage={language}\ngender={gender}\nformat=4\n")
    monkeypatch.setattr(discovery, "_SHARES", (tmp_path,))
    monkeypatch.setattr(
        discovery.shutil, "which", lambda name: f"/bin/{name}" if name == "RHVoice-test" else None
    )
    found = [voice for find in discovery.FINDERS for voice in find(None) if voice.engine == "rhvoice"]
    assert [(voice.id, voice.name, voice.language, voice.gender) for voice in found] == [
        ("rhvoice:anna", "Anna", "ru", "female")
    ]
