"""`/health/live` and `/health/ready`: what they answer, and to whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from common import clock, heartbeat
from core import health
from core.celery import app, note_the_heartbeat
from core.periodic import TABLE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing is remembered from one test to the next; the scheduler ticks."""
    cache.clear()
    health.findings.cache_clear()
    health.check_migrations.cache_clear()
    heartbeat.beat(health.SCHEDULER, now=clock.now())
    yield
    health.findings.cache_clear()


def ask(path: str, **headers: str) -> Any:
    """The answer to an anonymous probe."""
    return Client().get(path, headers=headers)


def test_both_are_well() -> None:
    assert ask("/health/live").json() == {"status": "ok"}
    answer = ask("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok"), answer.json()
    assert set(answer.json()["checks"]) >= {"database", "migrations", "cache", "scheduler", "storage"}
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_a_probe_needs_no_name_and_no_tls(settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS = ["sound.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    assert ask(path, host="10.1.2.3").status_code == 200
    assert Client().head(path, headers={"host": "10.1.2.3"}).status_code == 200
    assert Client().post(path, headers={"host": "10.1.2.3"}).status_code != 200


def broken(error: Exception) -> Any:
    """A check that raises."""

    def check() -> None:
        raise error

    return check


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OperationalError("connection to 10.0.0.7 refused, password secret"),
            "The database does not answer.",
        ),
        (ConnectionError("redis://:secret@10.0.0.8"), "It does not answer; the log has the reason."),
        (health.Unwell("Look here."), "Look here."),
    ],
)
def test_what_is_unwell_is_told_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    monkeypatch.setitem(health.CHECKS, "storage", broken(error))
    answer = ask("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"]["problem"] == told
    assert answer.json()["checks"]["database"]["ok"]
    assert "secret" not in answer.content.decode()
    assert ask("/health/live").status_code == 200


@pytest.mark.parametrize(("silent_s", "status"), [(5, 200), (29, 200), (31, 503), (None, 503)])
def test_a_silent_scheduler(silent_s: int | None, status: int) -> None:
    cache.clear()
    if silent_s is not None:
        heartbeat.beat(health.SCHEDULER, now=clock.now() - timedelta(seconds=silent_s))
    assert ask("/health/ready").status_code == status


@pytest.mark.django_db(transaction=True)
def test_missing_migrations() -> None:
    applied = MigrationRecorder(connection)
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("schedules")
    applied.record_unapplied(*newest)
    try:
        answer = ask("/health/ready")
    finally:
        applied.record_applied(*newest)
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"]["problem"].startswith("1 migrations are not applied")


def test_a_check_that_hangs_holds_up_nobody_and_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, hangs = [], threading.Event()

    def hang() -> None:
        asked.append(1)
        assert hangs.wait(30)

    monkeypatch.setitem(health.CHECKS, "storage", hang)
    monkeypatch.setattr(health, "WITHIN_S", 0.5)
    try:
        for _ in range(2):
            health.findings.cache_clear()
            began = time.monotonic()
            answer = ask("/health/ready")
            assert time.monotonic() - began < 5
            assert answer.status_code == 503
            assert answer.json()["checks"]["storage"]["problem"] == "It has not answered within 0.5 s."
        assert asked == [1]
    finally:
        hangs.set()


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full answers every write as a full disk does."""
    monkeypatch.setattr(health.tempfile, "TemporaryFile", lambda dir: Path("/dev/full").open("wb"))  # noqa: SIM115  # the check closes it
    answer = ask("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["storage"]["problem"] == "The disk that holds the media is full."


def test_many_probes_in_a_second_ask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setitem(health.CHECKS, "storage", lambda: asked.append(1))
    monkeypatch.setattr(health.time, "monotonic", lambda: 7.5)
    for _ in range(5):
        ask("/health/ready")
    assert asked == [1]


def test_workers_note_what_ends_well() -> None:
    app.loader.import_default_modules()
    cache.clear()
    note_the_heartbeat(sender=app.tasks[TABLE[0].task])
    assert set(heartbeat.last_beats([TABLE[0].task, TABLE[1].task])) == {TABLE[0].task}
