"""The table of what comes back: every entry is a task that exists, and one that fails comes back all the same."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from core import periodic
from core.celery import app
from core.periodic import TABLE, Periodic, Ticking


def test_every_entry_is_a_task_without_arguments() -> None:
    app.loader.import_default_modules()
    for entry in TABLE:
        assert inspect.signature(app.tasks[entry.task].run).parameters == {}, entry.task
        assert entry.every_s > 0
    assert len({entry.task for entry in TABLE}) == len(TABLE)


def test_beat_runs_the_same_table() -> None:
    schedule = periodic.beat_schedule()
    assert {name: entry["schedule"].total_seconds() for name, entry in schedule.items()} == {
        entry.task: entry.every_s for entry in TABLE
    }
    assert all(entry["options"]["expires"] >= 10 for entry in schedule.values())


def test_ticks_wait_for_no_long_job() -> None:
    """Each queue has its own key at the exchange: with one for both, each task would wait in both."""
    queues = app.amqp.queues
    assert {
        name: (queue.exchange.name, queue.routing_key) for name, queue in queues.consume_from.items()
    } == {
        "celery": ("celery", "celery"),
        "ticks": ("celery", "ticks"),
        "chores": ("celery", "chores"),
    }
    schedule = periodic.beat_schedule()
    ticks = {name for name, entry in schedule.items() if entry["options"]["queue"] == "ticks"}
    assert {"schedules.tick", "playlists.tick", "events.sweep", "audit.seal"} <= ticks
    assert not {"music.resume_unfinished", "webhooks.send_due", "users.deliver_due_mails"} & ticks
    assert not [name for name, entry in schedule.items() if entry["options"]["queue"] == "celery"]


async def test_a_task_that_fails_comes_back_and_delays_nobody(caplog: pytest.LogCaptureFixture) -> None:
    runs: dict[str, int] = {"fails": 0, "works": 0}
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ran(name: str) -> None:
        runs[name] += 1
        if min(runs.values()) >= 3:
            loop.call_soon_threadsafe(enough.set)

    def fails() -> None:
        ran("fails")
        raise RuntimeError("the disk is full")

    tasks = {"fails": fails, "works": lambda: ran("works")}
    ticking = Ticking(
        [loop.create_task(periodic._repeat(Periodic(name, 0.01), task)) for name, task in tasks.items()]
    )
    await asyncio.wait_for(enough.wait(), 20)
    await ticking.stop()
    assert "fails failed" in caplog.text
    assert "works failed" not in caplog.text
