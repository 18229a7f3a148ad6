"""Jobs: never before the commit, never after a rollback, bounded, and in nobody's scope."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
from django.db import transaction

from common import jobs
from common.context import Actor, acting_as, current_actor
from common.tenancy import OutsideScope, current_scope, system_scope


class Task:
    """Stands for a Celery task: notes how it was called."""

    name = "shop.task"

    def __init__(self, failure: Exception | None = None) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.sent: list[dict[str, Any]] = []
        self.failure = failure

    def __call__(self, *ids: Any) -> None:
        self.calls.append(ids)

    def apply_async(self, **how: Any) -> None:
        if self.failure:
            raise self.failure
        self.sent.append(how)


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[jobs.Executor]:
    made = jobs.Executor(workers=1, most_waiting=3)
    monkeypatch.setattr(jobs, "executor", lambda: made)
    yield made
    made.stop()


def let_all_run(executor: jobs.Executor) -> None:
    """Returns when what was submitted before has ended: there is one thread, so the last comes last."""
    last = Event()
    executor.submit("last", last.set)
    assert last.wait(30)


@pytest.mark.django_db(transaction=True)
def test_a_job_starts_after_the_commit(executor: jobs.Executor, settings: Any) -> None:
    settings.JOBS_EMBEDDED = True
    task = Task()
    with transaction.atomic():
        jobs.enqueue(task, 7, 8)
        let_all_run(executor)
        assert task.calls == []
    let_all_run(executor)
    assert task.calls == [(7, 8)]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_starts_nothing(executor: jobs.Executor, settings: Any) -> None:
    settings.JOBS_EMBEDDED = True
    task = Task()

    def change_and_fail() -> None:
        with transaction.atomic():
            jobs.enqueue(task, 7)
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    let_all_run(executor)
    assert task.calls == []


@pytest.mark.django_db(transaction=True)
def test_in_production_the_broker_gets_it(settings: Any) -> None:
    settings.JOBS_EMBEDDED = False
    task = Task()
    jobs.enqueue(task, 7)
    assert task.calls == []
    assert [how["args"] for how in task.sent] == [(7,)]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_does_not_undo_what_was_committed(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.JOBS_EMBEDDED = False
    with caplog.at_level(logging.ERROR):
        jobs.enqueue(Task(ConnectionError("no broker")), 7)
    assert "no broker" in caplog.text


def test_a_job_belongs_to_nobody(executor: jobs.Executor) -> None:
    seen: list[Any] = []

    def job() -> None:
        seen.append(current_actor())
        try:
            current_scope()
        except OutsideScope as outside:
            seen.append(outside)

    with system_scope("the caller's"), acting_as(Actor(name="the caller")):
        executor.submit("look", job)
    let_all_run(executor)
    assert seen[0] == Actor()
    assert isinstance(seen[1], OutsideScope)


def test_a_failed_job_is_logged_and_the_next_runs(
    executor: jobs.Executor, caplog: pytest.LogCaptureFixture
) -> None:
    done = Event()
    executor.submit("bad.job", lambda: 1 / 0)
    executor.submit("good.job", done.set)
    let_all_run(executor)
    assert done.is_set()
    assert "bad.job failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_queue_is_bounded_and_has_room_again(executor: jobs.Executor) -> None:
    go, ran = Event(), Event()
    executor.submit("slow", go.wait)
    for _ in range(2):
        executor.submit("waits", lambda: None)
    with pytest.raises(jobs.QueueFull, match="one-too-many"):
        executor.submit("one-too-many", lambda: None)
    go.set()
    for _ in range(1000):
        try:
            executor.submit("later", ran.set)
            break
        except jobs.QueueFull:
            ran.wait(0.01)
    assert ran.wait(10)


def test_a_stopped_server_runs_what_it_began_and_takes_no_more(
    executor: jobs.Executor, caplog: pytest.LogCaptureFixture
) -> None:
    began, go, finished, never = Event(), Event(), Event(), Event()

    def slow() -> None:
        began.set()
        go.wait(30)
        finished.set()

    executor.submit("slow", slow)
    executor.submit("waits", never.set)
    assert began.wait(30)
    stopping = Thread(target=executor.stop)
    stopping.start()
    go.set()
    stopping.join(30)
    with caplog.at_level(logging.INFO):
        executor.submit("too late", never.set)
    assert finished.is_set()
    assert not never.is_set()
    assert "too late is left for the next start" in caplog.text
