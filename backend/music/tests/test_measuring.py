"""The job that measures: its ends, and being run twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache

from common import clock, preparation
from common.audio import isolated
from common.audio.errors import AudioRefused, IsolationFailed
from common.media_fields import Readiness
from common.tenancy import entered
from music import tasks
from music.models import MusicFile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]


@pytest.fixture
def waiting(shop, track):
    """A track that waits for its measurement."""
    return track(shop, status=Readiness.PROCESSING)


def measured(music):
    """Runs the job in no scope, as a worker does."""
    with entered(None):
        tasks.measure_music(music.pk)
    music.refresh_from_db()
    return music


def test_ready(waiting):
    music = measured(waiting)
    assert (music.status, music.attempts) == (Readiness.READY, 1)
    assert music.loudness_lufs is not None


def test_twice_is_once(waiting, monkeypatch):
    measured(waiting)
    monkeypatch.setattr(isolated, "measure", lambda path: pytest.fail("measured again"))
    assert measured(waiting).attempts == 1


@pytest.mark.parametrize(
    "error", [IsolationFailed("timed_out", "It took too long."), AudioRefused("truncated", "It is cut off.")]
)
def test_failed(waiting, monkeypatch, error):
    def fail(path):
        raise error

    monkeypatch.setattr(isolated, "measure", fail)
    music = measured(waiting)
    assert (music.status, music.failure_code, music.failure_detail) == ("failed", error.code, error.detail)


def test_a_lost_file_fails(waiting):
    waiting.file.storage.delete(waiting.file.name)
    assert measured(waiting).failure_code == "file_lost"


def test_gone(waiting):
    pk = waiting.pk
    waiting.delete()
    with entered(None):
        tasks.measure_music(pk)


def test_deleted_meanwhile(waiting, monkeypatch):
    real = isolated.measure

    def delete_then_measure(path):
        found = real(path)
        MusicFile.objects.all().delete()
        return found

    monkeypatch.setattr(isolated, "measure", delete_then_measure)
    with entered(None):
        tasks.measure_music(waiting.pk)
    assert not MusicFile.objects.exists()


def test_a_change_of_name_meanwhile_stays(shop, call, waiting, monkeypatch):
    real = isolated.measure

    def rename_then_measure(path):
        assert call(shop.admin).patch(f"/api/music/{waiting.pk}/", {"name": "New"}).status_code == 200
        return real(path)

    monkeypatch.setattr(isolated, "measure", rename_then_measure)
    music = measured(waiting)
    assert (music.status, music.name) == (Readiness.READY, "New")


def test_a_measurement_during_a_change_stays(shop, waiting):
    """The row that the change was read from is older than the measurement."""
    from music.services import update_music

    stale = MusicFile.objects.get(pk=waiting.pk)
    measured(waiting)
    update_music(music=stale, changes={"name": "New"})
    waiting.refresh_from_db()
    assert (waiting.status, waiting.name) == (Readiness.READY, "New")


def test_lost_work_is_resumed(waiting, queue, commit, settings):
    """Asked for an hour ago by a process that is gone."""
    settings.JOBS_EMBEDDED = False
    MusicFile.objects.update(queued_at=clock.now() - timedelta(hours=1))
    with entered(None), commit():
        tasks.resume_unfinished()
    assert queue.names == [("music.measure_music", waiting.pk)]
    queue.waiting.clear()
    with entered(None), commit():
        tasks.resume_unfinished()
    assert queue.names == []


def test_what_was_just_asked_for_is_left_alone(waiting, queue, commit):
    assert waiting.queued_at > preparation.STARTED_AT
    cache.add(preparation.BROKER_KEEPS + "music", True)
    with entered(None), commit():
        tasks.resume_unfinished()
    assert queue.names == []
