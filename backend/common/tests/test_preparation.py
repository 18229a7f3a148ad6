"""Work that died with its process is found, once, and not for ever."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.db import OperationalError

from announcements.tasks import generate_tts_audio, prepare_announcement
from common import clock, jobs, preparation
from common.audio.values import Loudness
from common.media_fields import Readiness
from music.models import MusicFile
from music.tasks import measure_music

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]


def row(shop, **columns):
    """A track that waits, asked for an hour ago."""
    defaults = {"status": Readiness.PROCESSING, "queued_at": NOW - timedelta(hours=1)}
    return MusicFile.objects.create(
        client=shop.client, name="x", file="x.mp3", file_size=1, duration=1, **defaults | columns
    )


def found(asked_before=NOW - preparation.STUCK_AFTER):
    """The keys of what is lost now."""
    return [pk for pk, _ in preparation.lost(MusicFile.objects.all(), asked_before=asked_before, now=NOW)]


@pytest.mark.parametrize(
    ("columns", "is_lost"),
    [
        ({}, True),
        ({"status": Readiness.GENERATING}, True),
        ({"queued_at": NOW - preparation.STUCK_AFTER}, False),
        ({"queued_at": NOW}, False),
        ({"status": Readiness.READY}, False),
        ({"status": Readiness.FAILED}, False),
        ({"worked_at": NOW - preparation.DEAD_AFTER - SECOND}, True),
        ({"queued_at": NOW - MINUTE, "worked_at": NOW - preparation.DEAD_AFTER - SECOND}, True),
        ({"worked_at": NOW - preparation.DEAD_AFTER}, False),
        ({"status": Readiness.READY, "worked_at": NOW - MINUTE}, False),
    ],
)
def test_what_is_lost(shop, columns, is_lost, settings):
    settings.JOBS_EMBEDDED = False
    waiting = row(shop, **columns)
    assert found() == [waiting.pk] * is_lost


@pytest.mark.django_db(transaction=True)
def test_what_no_broker_took_is_found_at_the_next_look(shop, settings):
    class Away:
        def apply_async(self, **how):
            raise ConnectionError("no broker")

    settings.JOBS_EMBEDDED = False
    waiting = row(shop, queued_at=NOW)
    with patch.object(clock, "now", lambda: NOW):
        preparation.ask(Away(), MusicFile, waiting.pk)
    assert found(NOW + SECOND - preparation.STUCK_AFTER) == [waiting.pk]


@pytest.mark.parametrize(
    "job", [measure_music, prepare_announcement, generate_tts_audio], ids=lambda job: job.name
)
def test_a_job_that_the_database_did_not_let_begin_is_given_out_again(job, monkeypatch):
    tried = []

    def begin(rows, pk, *, status):
        tried.append(pk)
        if len(tried) < 3:
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(preparation, "begin", begin)
    assert job.apply(args=[7]).state == "SUCCESS"
    assert tried == [7, 7, 7]


@pytest.mark.django_db(transaction=True)
def test_one_that_could_not_begin_in_this_process_is_found_at_the_next_look(shop, settings, monkeypatch):
    def begin(rows, pk, *, status):
        raise OperationalError("database is locked")

    settings.JOBS_EMBEDDED = True
    monkeypatch.setattr(preparation, "begin", begin)
    executor = jobs.Executor(workers=1)
    monkeypatch.setattr(jobs, "executor", lambda: executor)
    waiting = row(shop, queued_at=NOW)
    with patch.object(clock, "now", lambda: NOW):
        preparation.ask(measure_music, MusicFile, waiting.pk)
        executor.stop()
    assert found(NOW + SECOND - preparation.STUCK_AFTER) == [waiting.pk]


def test_lost_once(shop):
    row(shop)
    assert len(found()) == 1
    assert found() == []


def test_oldest_first(shop):
    rows = [row(shop, queued_at=NOW - minutes * MINUTE) for minutes in (20, 60, 40)]
    assert found() == [rows[1].pk, rows[2].pk, rows[0].pk]


def test_begin_counts_and_gives_up(shop):
    """A job that takes its process with it every time is begun five times."""
    waiting = row(shop)
    rows = MusicFile.objects.all()
    for attempt in range(preparation.MOST_ATTEMPTS):
        begun = preparation.begin(rows, waiting.pk, status=Readiness.PROCESSING)
        assert begun is not None
        assert begun.attempts == attempt + 1
    assert preparation.begin(rows, waiting.pk, status=Readiness.PROCESSING) is None
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == (Readiness.FAILED, "gave_up")


@pytest.mark.parametrize("status", [Readiness.READY, Readiness.FAILED, Readiness.GENERATING])
def test_only_what_waits_begins(shop, status):
    waiting = row(shop, status=status)
    assert preparation.begin(MusicFile.objects.all(), waiting.pk, status=Readiness.PROCESSING) is None
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == (status, 0)


def test_when_work_counts_as_lost(settings, monkeypatch):
    """One process that started a minute ago has surely lost what was asked for before."""
    monkeypatch.setattr(preparation, "STARTED_AT", NOW - MINUTE)
    settings.JOBS_EMBEDDED = True
    assert preparation.lost_before(NOW, of="x") == NOW - MINUTE
    assert preparation.lost_before(NOW + timedelta(hours=1), of="x") == NOW + timedelta(minutes=50)


def test_a_broker_that_lost_its_data_has_lost_all_that_waited(settings):
    """Noticed once, for each kind of work."""
    settings.JOBS_EMBEDDED = False
    for kind in ("x", "y", "x"):
        cache.delete(preparation.BROKER_KEEPS + kind)
        assert preparation.lost_before(NOW, of=kind) == NOW
        assert preparation.lost_before(NOW, of=kind) == NOW - preparation.STUCK_AFTER


@pytest.mark.django_db(transaction=True)
def test_a_job_that_runs_says_so(shop, monkeypatch):
    monkeypatch.setattr(preparation, "SIGN_OF_LIFE_S", 0.01)
    waiting = preparation.begin(MusicFile.objects.all(), row(shop).pk, status=Readiness.PROCESSING)
    began = waiting.worked_at
    deadline = time.monotonic() + 20
    with preparation.at_work(waiting):
        while waiting.worked_at == began:
            assert time.monotonic() < deadline
            waiting.refresh_from_db()


@pytest.mark.parametrize(("ms", "seconds"), [(0, 0), (499, 0), (500, 1), (1500, 2), (2500, 3), (2499, 2)])
def test_whole_seconds(ms, seconds):
    assert preparation.whole_seconds(ms) == seconds


def test_columns():
    assert preparation.success(Loudness(-20.0, -9.0))["gain_db"] == 4.0
    assert preparation.success(Loudness(None, None))["gain_db"] == 0.0
    assert len(preparation.failure("x", "y" * 5000)["failure_detail"]) == 1000
