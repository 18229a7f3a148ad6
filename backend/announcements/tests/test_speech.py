"""Typed text: asked for, spoken by a job, changed, refused."""

from __future__ import annotations

import pytest

from announcements import preparing, selectors
from announcements.models import Announcement
from announcements.speech.errors import SpeechFailed
from announcements.speech.values import SpeechResult
from common.audio.values import Loudness
from common.tests.sounds import kept, sound

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]

URL = "/api/announcements/"
GENERATE = f"{URL}tts/generate/"
JOB = "announcements.generate_tts_audio"


def ask(signed_in, **fields):
    """Asks for speech."""
    return signed_in.post(GENERATE, {"title": "Tea", "text": "Tea is served on the second floor."} | fields)


def stub(monkeypatch, speak=None):
    """Speaks at once, with a tone; `speak(text)` is called first."""

    def synthesise(text, voice, target, **bounds):
        if speak is not None:
            speak(text)
        target.write_bytes(sound() + text.encode())
        return SpeechResult(1000, voice.engine, voice.id, Loudness(-16.0, -3.0))

    monkeypatch.setattr(preparing, "synthesise", synthesise)


def test_spoken_for_real(shop, call, commit, queue, settings):
    with commit():
        answer = ask(call(shop.admin), category="Offers")
    assert answer.status_code == 202, answer.data
    assert (answer.data["status"], answer.data["type"], answer.data["playable"]) == (
        "generating",
        "tts",
        False,
    )
    assert answer.data["category"] == "Offers"
    assert answer.data["enabled"] is True
    pk = answer.data["id"]
    assert queue.names == [(JOB, pk)]
    waiting = call(shop.admin).get(f"{URL}{pk}/stream/")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "not_ready")

    with commit():
        queue.run()
    data = call(shop.floor_user).get(f"{URL}{pk}/").data
    assert (data["status"], data["playable"], data["mime_type"]) == ("ready", True, "audio/mpeg")
    assert data["duration_ms"] > 1000
    assert data["loudness_lufs"] == pytest.approx(-16, abs=0.5)
    assert data["spoken_by"] in {voice.id for voice in selectors.voices_at_hand(language="en")}
    assert len(kept(settings)) == 1
    for answer in (call(shop.floor_user).get(data["stream_url"]), call(None).get(data["audio_url"])):
        assert answer.status_code == 200
        assert answer["Content-Disposition"] == 'inline; filename="Tea.mp3"'
        assert len(b"".join(answer.streaming_content)) == data["file_size"]


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"text": ""}, "text_empty", "text"),
        ({"text": "  \n\t "}, "text_empty", "text"),
        ({"text": "x" * 20_000}, "text_too_long", "text"),
        ({"text": "🎉🎉🎉"}, "text_unspeakable", "text"),
        ({"text": "<b></b>"}, "text_unspeakable", "text"),
        ({"text": "\x07\x1b"}, "text_unspeakable", "text"),
        ({"voice": "nobody"}, "voice_unknown", "voice"),
        ({"language": "tlh-piqd"}, "no_voice_for_language", "language"),
        ({"text": "مرحبا بكم في المتجر", "language": "en"}, "no_voice_for_language", "language"),
        ({"text": "a\x00b"}, "validation_failed", "text"),
        ({"text": None}, "validation_failed", "text"),
        ({"title": ""}, "validation_failed", "title"),
        ({"voice": "x" * 101}, "validation_failed", "voice"),
    ],
)
def test_refused(shop, call, commit, queue, fields, code, field):
    with commit():
        answer = ask(call(shop.admin), **fields)
    assert (answer.status_code, answer.data["code"]) == (400, code), answer.data
    assert answer.data["errors"][0]["field"] == field
    assert not Announcement.objects.exists()
    assert queue.names == []


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Hello 🎉 everybody"},
        {"text": "<speak>Hello <break/> there</speak>"},
        {"text": "Bell\x07 rings"},
        {"text": "مرحبا بكم في المتجر"},
        {"text": "Guten Tag", "language": "de"},
        {"text": "Grüß Gott", "language": "de_AT"},
        {"voice": "espeak:de", "text": "Guten Tag"},
    ],
)
def test_taken(shop, call, fields):
    """What was typed is kept as it was typed."""
    answer = ask(call(shop.admin), **fields)
    assert answer.status_code == 202, answer.data
    assert answer.data["text"] == fields["text"]


def test_missing_text(shop, call):
    answer = call(shop.admin).post(GENERATE, {"title": "x"})
    assert (answer.status_code, answer.data["code"]) == (400, "validation_failed")
    assert answer.data["errors"][0]["field"] == "text"


def test_create_with_type_tts_is_the_same(shop, call, commit, queue):
    with commit():
        answer = call(shop.admin).post(URL, {"title": "Tea", "type": "tts", "text": "Tea is served."})
    assert (answer.status_code, answer.data["status"]) == (201, "generating")
    assert queue.names == [(JOB, answer.data["id"])]


@pytest.mark.parametrize(
    ("fields", "again"),
    [
        ({"title": "New"}, False),
        ({"category": "New", "enabled": False}, False),
        ({"text": "Welcome to our shop."}, False),
        ({"text": "Come in."}, True),
        ({"voice": "espeak:en-gb"}, True),
        ({"language": "en-GB"}, True),
    ],
)
def test_only_new_words_are_spoken_anew(shop, call, commit, queue, spoken, fields, again):
    announcement = spoken(shop)
    with commit():
        answer = call(shop.admin).patch(f"{URL}{announcement.pk}/", fields)
    assert answer.status_code == 200, answer.data
    assert {name: answer.data[name] for name in fields} == fields
    assert answer.data["status"] == ("generating" if again else "ready")
    assert answer.data["playable"] is True
    assert queue.names == [(JOB, announcement.pk)] * again


def test_the_old_words_stay_until_the_new_are_ready(shop, call, commit, queue, settings, spoken, monkeypatch):
    stub(monkeypatch)
    announcement = spoken(shop)
    old = announcement.audio_file.name
    with commit():
        data = call(shop.admin).patch(f"{URL}{announcement.pk}/", {"text": "Come in."}).data
    assert b"".join(call(None).get(data["audio_url"]).streaming_content) == sound()
    with commit():
        queue.run()
    announcement.refresh_from_db()
    assert announcement.status == "ready"
    assert kept(settings) == [announcement.audio_file.name]
    assert announcement.audio_file.name != old
    assert call(None).get(data["audio_url"]).status_code == 404
    fresh = call(shop.admin).get(f"{URL}{announcement.pk}/").data["audio_url"]
    assert b"".join(call(None).get(fresh).streaming_content) == sound() + b"Come in."


def test_a_failure_keeps_the_old_words_and_can_be_tried_again(shop, call, commit, queue, spoken, monkeypatch):
    announcement = spoken(shop)

    def fail(text):
        raise SpeechFailed("engine_crashed", "The voice failed.")

    stub(monkeypatch, fail)
    signed_in = call(shop.admin)
    with commit():
        signed_in.patch(f"{URL}{announcement.pk}/", {"text": "Come in."})
    with commit():
        queue.run()
    data = signed_in.get(f"{URL}{announcement.pk}/").data
    assert (data["status"], data["failure_code"], data["playable"]) == ("failed", "engine_crashed", True)
    assert data["failure_detail"] == "The voice failed."
    stub(monkeypatch)
    with commit():
        data = signed_in.patch(f"{URL}{announcement.pk}/", {"text": "Come in."}).data
    assert (data["status"], data["failure_code"]) == ("generating", "")
    with commit():
        queue.run()
    announcement.refresh_from_db()
    assert (announcement.status, announcement.attempts) == ("ready", 1)


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("uploaded", {"text": "Hello"}, "not_spoken"),
        ("recorded", {"voice": "espeak:en"}, "not_spoken"),
        ("tts", {"file": "x"}, "not_replaceable"),
        ("uploaded", {"file": "x"}, "not_replaceable"),
        ("tts", {"title": ""}, "blank"),
    ],
)
def test_changes_that_make_no_sense(shop, call, spoken, kind, fields, code):
    answer = call(shop.admin).patch(f"{URL}{spoken(shop, type=kind).pk}/", fields)
    assert (answer.status_code, answer.data["code"]) == (400, "validation_failed")
    assert answer.data["errors"][0]["code"] == code


@pytest.mark.parametrize(
    ("fields", "code"), [({"text": "🎉"}, "text_unspeakable"), ({"voice": "nobody"}, "voice_unknown")]
)
def test_a_refused_change_changes_nothing(shop, call, commit, queue, spoken, fields, code):
    announcement = spoken(shop)
    before = Announcement.objects.values().get()
    with commit():
        answer = call(shop.admin).patch(f"{URL}{announcement.pk}/", {"title": "New"} | fields)
    assert (answer.status_code, answer.data["code"]) == (400, code)
    assert Announcement.objects.values().get() == before
    assert queue.names == []


def test_voices(shop, call):
    answer = call(shop.floor_user).get(f"{URL}tts/voices/")
    assert answer.status_code == 200
    assert answer.data["count"] > 20
    assert set(answer.data["results"][0]) == {"id", "name", "language", "engine", "gender", "quality", "free"}
    qualities = [voice["quality"] for voice in answer.data["results"]]
    assert qualities == sorted(qualities, reverse=True)


@pytest.mark.parametrize(
    ("query", "right"),
    [
        ("language=en", lambda voice: voice["language"].split("-")[0] == "en"),
        ("language=en_gb", lambda voice: voice["language"].lower().startswith("en-gb")),
        ("language=EN-GB&engine=espeak", lambda voice: voice["engine"] == "espeak"),
    ],
)
def test_voices_are_filtered(shop, call, query, right):
    answer = call(shop.admin).get(f"{URL}tts/voices/?{query}")
    assert answer.data["results"]
    assert all(right(voice) for voice in answer.data["results"])


def test_no_voice_speaks_nothing(shop, call):
    assert call(shop.admin).get(f"{URL}tts/voices/?language=e").data["count"] == 0
