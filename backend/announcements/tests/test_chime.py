"""A chime before an announcement: asked for, changed, refused, and made from what was kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from announcements import preparing
from announcements.models import Announcement
from announcements.tests.test_speech import GENERATE, stub
from announcements.tests.test_uploads import form
from common.audio.synth import CHIMES
from common.media_fields import Readiness
from common.tests.sounds import kept, sound

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]

URL = "/api/announcements/"
JOBS = {
    "tts": ("generating", "announcements.generate_tts_audio"),
    "uploaded": ("processing", "announcements.prepare_announcement"),
    "recorded": ("processing", "announcements.prepare_announcement"),
}


def test_the_table_names_every_chime() -> None:
    assert tuple(Announcement.Chime.values) == ("none", *CHIMES)


def test_spoken_for_real(shop, call, commit, queue):
    """The same words with a chime and without: longer by the lead-in, as loud."""
    made = {}
    for chime in ("none", "three_tone"):
        with commit():
            body = {"title": "Tea", "text": "Tea is served on the second floor.", "chime": chime}
            answer = call(shop.admin).post(GENERATE, body)
        assert (answer.status_code, answer.data["chime"]) == (202, chime), answer.data
        with commit():
            queue.run()
        made[chime] = call(shop.floor_user).get(f"{URL}{answer.data['id']}/").data
        assert made[chime]["status"] == "ready"
        assert made[chime]["loudness_lufs"] == pytest.approx(-16, abs=0.5)
        assert made[chime]["true_peak_dbtp"] <= -1
    without, chimed = made["none"], made["three_tone"]
    assert without["lead_in_ms"] == 0
    assert chimed["lead_in_ms"] > 1000
    assert chimed["duration_ms"] - chimed["lead_in_ms"] == pytest.approx(without["duration_ms"], abs=2)


@pytest.mark.parametrize("kind", ["uploaded", "recorded"])
def test_an_upload_is_made_anew_from_its_source(shop, call, commit, queue, settings, kind):
    """With a chime, with another, with none again: each from what was uploaded, byte for byte the same at the end."""

    def prepared() -> Announcement:
        with commit():
            queue.run()
        made = Announcement.objects.get()
        assert made.status == "ready", made.failure_detail
        assert kept(settings) == sorted([made.audio_file.name, made.source_file.name])
        content = Path(made.audio_file.path).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (made.sha256, made.file_size)
        return made

    with commit():
        body = form(sound("wav"), type=kind, chime="ding")
        answer = call(shop.admin).post(URL, body, format="multipart")
    assert (answer.status_code, answer.data["chime"], answer.data["lead_in_ms"]) == (201, "ding", 0)
    made = [prepared()]
    for chime in ("ding_dong", "none", "ding"):
        with commit():
            answer = call(shop.admin).patch(f"{URL}{made[0].pk}/", {"chime": chime})
        assert (answer.status_code, answer.data["status"]) == (200, "processing")
        assert answer.data["playable"] is True
        assert answer.data["sha256"] == made[-1].sha256, "the earlier sound stays until then"
        assert answer.data["lead_in_ms"] == made[-1].lead_in_ms
        made.append(prepared())
    ding, dong, none, again = made
    assert 0 == none.lead_in_ms < ding.lead_in_ms < dong.lead_in_ms
    assert (again.sha256, again.lead_in_ms) == (ding.sha256, ding.lead_in_ms)
    for each in made:
        assert each.duration_ms - each.lead_in_ms == pytest.approx(none.duration_ms, abs=1)
        assert each.loudness_lufs == pytest.approx(-16, abs=0.3)
    assert {each.source_file.name for each in made} == {ding.source_file.name}


def test_without_a_source_the_clip_becomes_it(shop, call, commit, queue, settings, spoken):
    """As of announcements whose source was removed when they were ready."""
    announcement = spoken(shop, type="uploaded", text="")
    clip = announcement.audio_file.name
    for chime in ("ding", "none"):
        with commit():
            assert call(shop.admin).patch(f"{URL}{announcement.pk}/", {"chime": chime}).status_code == 200
        with commit():
            queue.run()
        announcement.refresh_from_db()
        assert (announcement.status, announcement.source_file.name) == ("ready", clip)
        assert kept(settings) == sorted([announcement.audio_file.name, clip])
        assert announcement.duration_ms - announcement.lead_in_ms == pytest.approx(1000, abs=1)


@pytest.mark.parametrize("kind", JOBS)
@pytest.mark.parametrize(
    ("status", "chime", "again"),
    [
        ("ready", "ding", True),
        ("ready", "none", False),
        ("failed", "none", True),
        ("processing", "ding", True),
    ],
)
def test_only_another_chime_is_prepared(shop, call, commit, queue, spoken, kind, status, chime, again):
    announcement = spoken(shop, type=kind, status=status, failure_code="timed_out", attempts=3)
    with commit():
        answer = call(shop.admin).patch(f"{URL}{announcement.pk}/", {"chime": chime})
    assert answer.status_code == 200, answer.data
    assert answer.data["status"] == (JOBS[kind][0] if again else status)
    assert queue.names == [(JOBS[kind][1], announcement.pk)] * again
    announcement.refresh_from_db()
    assert announcement.attempts == (0 if again else 3)


@pytest.mark.parametrize("chime", ["gong", "", None, "DING"])
def test_unknown_chimes(shop, call, commit, queue, spoken, chime):
    mine = spoken(shop)
    signed_in = call(shop.admin)
    bodies: dict[str, Any] = {"title": "Tea", "text": "Tea is served.", "chime": chime}
    upload = form(
        chime=chime or "gong"
    )  # an empty field of a form says nothing, so none is not refused there
    with commit():
        answers = [
            signed_in.post(GENERATE, bodies),
            signed_in.post(URL, bodies | {"type": "tts"}),
            signed_in.post(URL, upload, format="multipart"),
            signed_in.patch(f"{URL}{mine.pk}/", {"chime": chime}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.data["code"]) == (400, "validation_failed")
        assert [error["field"] for error in answer.data["errors"]] == ["chime"]
    assert Announcement.objects.get().chime == "none"
    assert queue.names == []


def test_the_lead_in_is_not_for_callers_to_say(shop, call, spoken):
    announcement = spoken(shop)
    answer = call(shop.admin).patch(f"{URL}{announcement.pk}/", {"lead_in_ms": 77})
    assert (answer.status_code, answer.data["lead_in_ms"]) == (200, 0)


def test_a_chime_changed_meanwhile(shop, call, commit, queue, spoken, monkeypatch):
    """What is being spoken has the chime of before: it is dropped, and the job of the change makes the new one."""
    announcement = spoken(shop, status=Readiness.GENERATING)
    spoken_with = []

    def speak(text):
        spoken_with.append(Announcement.objects.get().chime)
        if len(spoken_with) == 1:
            call(shop.admin).patch(f"{URL}{announcement.pk}/", {"chime": "ding"})

    stub(monkeypatch, speak)
    old = announcement.sha256
    with commit():
        preparing.speak(announcement_id=announcement.pk)
    announcement.refresh_from_db()
    assert (announcement.status, announcement.sha256) == ("generating", old)
    with commit():
        queue.run()
    announcement.refresh_from_db()
    assert (announcement.status, spoken_with) == ("ready", ["none", "ding"])
