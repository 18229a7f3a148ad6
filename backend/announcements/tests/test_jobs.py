"""The jobs: run twice, overtaken by a change, bereft of their row, died and found again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from announcements import preparing, tasks
from announcements.models import Announcement
from announcements.speech.errors import SpeechFailed
from announcements.tests.test_speech import JOB, URL, stub
from common import clock
from common.audio import isolated
from common.audio.errors import IsolationFailed
from common.media_fields import Readiness
from common.tenancy import entered
from common.tests.sounds import kept

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]


@pytest.fixture
def waiting(spoken, shop):
    """An announcement whose text was changed, and which has its old sound."""
    return spoken(shop, status=Readiness.GENERATING, text="New words.")


def speak(announcement, commit):
    """Runs the job in no scope, as a worker does."""
    with entered(None), commit():
        tasks.generate_tts_audio(announcement.pk)


def test_twice_is_once(waiting, commit, settings, monkeypatch):
    """Another worker, given the same job, ends while this one speaks: one sound is kept, the other is removed."""
    inner = {"run": False}

    def other_worker_is_faster(text):
        if not inner["run"]:
            inner["run"] = True
            preparing.speak(announcement_id=waiting.pk)

    stub(monkeypatch, other_worker_is_faster)
    speak(waiting, commit)
    waiting.refresh_from_db()
    assert inner["run"]
    assert (waiting.status, waiting.attempts) == ("ready", 2)
    assert kept(settings) == [waiting.audio_file.name]


def test_text_changed_meanwhile(shop, call, waiting, commit, queue, settings, monkeypatch):
    """What was spoken is of the old text: it is dropped, and the job of the change speaks the new one."""

    def change(text):
        if text == "New words.":
            assert call(shop.admin).patch(f"{URL}{waiting.pk}/", {"text": "Newer words."}).status_code == 200

    stub(monkeypatch, change)
    old = waiting.audio_file.name
    speak(waiting, commit)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.audio_file.name, waiting.text) == ("generating", old, "Newer words.")
    assert kept(settings) == [old]
    assert queue.names == [(JOB, waiting.pk)]
    with commit():
        queue.run()
    waiting.refresh_from_db()
    assert waiting.status == "ready"
    assert waiting.audio_file.read().endswith(b"Newer words.")
    waiting.audio_file.close()


def test_title_changed_meanwhile_stays(shop, call, waiting, commit, monkeypatch):
    def change(text):
        assert call(shop.admin).patch(f"{URL}{waiting.pk}/", {"title": "New"}).status_code == 200

    stub(monkeypatch, change)
    speak(waiting, commit)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.title) == ("ready", "New")


def test_deleted_meanwhile(waiting, commit, settings, monkeypatch):
    stub(monkeypatch, lambda text: Announcement.objects.all().delete())
    speak(waiting, commit)
    assert kept(settings) == []


def test_gone_or_done(waiting, commit, monkeypatch, spoken, shop):
    """A job that comes too late does nothing."""
    stub(monkeypatch, lambda text: pytest.fail("spoken again"))
    speak(spoken(shop), commit)
    waiting.delete()
    speak(waiting, commit)


def test_source_is_kept_when_normalising_fails(waiting, commit, settings, monkeypatch):
    """The reason is on the row; the source stays, so that nothing a person recorded is lost."""

    def fail(*args, **kwargs):
        raise IsolationFailed("timed_out", "It took too long.")

    monkeypatch.setattr(isolated, "normalise", fail)
    Announcement.objects.update(
        status=Readiness.PROCESSING, type="recorded", source_file=waiting.audio_file.name, audio_file=""
    )
    with entered(None), commit():
        tasks.prepare_announcement(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == ("failed", "timed_out")
    assert kept(settings) == [waiting.source_file.name]


def test_a_lost_source_fails(waiting, commit):
    Announcement.objects.update(status=Readiness.PROCESSING, type="uploaded", source_file="gone.wav")
    with entered(None), commit():
        tasks.prepare_announcement(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == ("failed", "file_lost")


def test_a_failure_of_old_words_is_not_one_of_the_new(shop, call, waiting, commit, queue, monkeypatch):
    def change_and_fail(text):
        assert call(shop.admin).patch(f"{URL}{waiting.pk}/", {"text": "Newer words."}).status_code == 200
        raise SpeechFailed("engine_crashed", "The voice failed.")

    stub(monkeypatch, change_and_fail)
    speak(waiting, commit)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == ("generating", "")
    assert queue.names == [(JOB, waiting.pk)]


def test_lost_work_is_resumed(waiting, spoken, shop, commit, queue, settings):
    """Each by the job of its status, and only once."""
    settings.JOBS_EMBEDDED = False
    other = spoken(shop, status=Readiness.PROCESSING, type="uploaded")
    Announcement.objects.filter(pk=waiting.pk).update(queued_at=clock.now() - timedelta(hours=2))
    Announcement.objects.filter(pk=other.pk).update(queued_at=clock.now() - timedelta(hours=1))
    for expected in ([(JOB, waiting.pk), ("announcements.prepare_announcement", other.pk)], []):
        with entered(None), commit():
            tasks.resume_unfinished()
        assert queue.names == expected
        queue.waiting.clear()
