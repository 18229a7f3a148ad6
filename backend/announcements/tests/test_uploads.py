"""Uploaded and recorded announcements: kept, normalised, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from announcements.models import Announcement
from common.audio.facts import inspect
from common.audio.loudness import measure
from common.audio.values import Limits
from common.tests.sounds import BAD, kept, sound, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]

URL = "/api/announcements/"


def form(content: bytes | None = None, **fields: Any) -> dict[str, Any]:
    """The form of an uploaded announcement."""
    file = upload(sound() if content is None else content, "blob", "application/octet-stream")
    return {"title": "Tea", "type": "uploaded", "file": file} | fields


@pytest.mark.parametrize(("kind", "codec"), [("uploaded", "wav"), ("recorded", "webm")])
def test_becomes_an_mp3_at_the_target(shop, call, commit, queue, settings, kind, codec):
    """A browser's WebM as well. The source is kept: another chime is put before it."""
    with commit():
        answer = call(shop.admin).post(URL, form(sound(codec), type=kind), format="multipart")
    assert answer.status_code == 201, answer.data
    assert (answer.data["status"], answer.data["playable"]) == ("processing", False)
    assert answer.data["stream_url"] is answer.data["audio_url"] is None
    assert answer.data["duration"] == 1
    (source,) = kept(settings)
    assert source.startswith("announcements/sources/")
    assert queue.names == [("announcements.prepare_announcement", answer.data["id"])]

    with commit():
        queue.run()
    made = Announcement.objects.get()
    assert (made.status, made.source_file.name, made.mime_type) == ("ready", source, "audio/mpeg")
    assert kept(settings) == sorted([made.audio_file.name, source])
    path = Path(made.audio_file.path)
    facts = inspect(path, Limits())
    assert (facts.mime, facts.sha256, facts.bytes) == ("audio/mpeg", made.sha256, made.file_size)
    assert facts.duration_ms == made.duration_ms
    assert measure(path).integrated_lufs == pytest.approx(-16, abs=0.3)
    assert made.loudness_lufs == pytest.approx(-16, abs=0.3)


@pytest.mark.parametrize("case", BAD)
def test_bad_input(shop, call, commit, queue, settings, case):
    make, code = BAD[case]
    with commit():
        answer = call(shop.admin).post(URL, form(make()), format="multipart")
    assert (answer.status_code, answer.data["code"]) == (400, code)
    assert kept(settings) == []
    assert not Announcement.objects.exists()
    assert queue.names == []


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [("MAX_UPLOAD_BYTES", 5000, "too_large"), ("MAX_ANNOUNCEMENT_MS", 500, "too_long")],
)
def test_limits(shop, call, settings, setting, value, code):
    setattr(settings, setting, value)
    answer = call(shop.admin).post(URL, form(), format="multipart")
    assert (answer.status_code, answer.data["code"]) == (400, code)
    assert kept(settings) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "uploaded", "title": "x"}, "file"),
        ({"type": "recorded", "title": "x"}, "file"),
        ({"type": "tts", "title": "x"}, "text"),
        ({"type": "tts", "title": "x", "text": "Hello", "file": upload(sound())}, "file"),
        ({"type": "uploaded", "title": "x", "file": upload(sound()), "text": "Hello"}, "text"),
        ({"type": "song", "title": "x", "file": upload(sound())}, "type"),
        ({"title": "x", "file": upload(sound())}, "type"),
        ({"type": "uploaded", "file": upload(sound())}, "title"),
        ({"type": "uploaded", "title": "", "file": upload(sound())}, "title"),
        ({"type": "uploaded", "title": "x", "file": upload(sound()), "category": "y" * 101}, "category"),
    ],
)
def test_bad_forms(shop, call, settings, body, field):
    answer = call(shop.admin).post(URL, body, format="multipart")
    assert (answer.status_code, answer.data["code"]) == (400, "validation_failed")
    assert answer.data["errors"][0]["field"] == field
    assert kept(settings) == []


@pytest.mark.parametrize(
    ("given", "enabled"), [({}, True), ({"enabled": "true"}, True), ({"enabled": "false"}, False)]
)
def test_enabled_unless_said(shop, call, given, enabled):
    """A form leaves out what it does not say; that must not switch it off."""
    answer = call(shop.admin).post(URL, form(category="Offers", **given), format="multipart")
    assert (answer.data["enabled"], answer.data["category"]) == (enabled, "Offers")


def test_failed_write_leaves_no_file(shop, call, settings, monkeypatch):
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the database is full")

    monkeypatch.setattr(Announcement, "save", refuse)
    with pytest.raises(RuntimeError):
        call(shop.admin).post(URL, form(), format="multipart")
    assert kept(settings) == []
