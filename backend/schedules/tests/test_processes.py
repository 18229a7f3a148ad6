"""Schedulers as processes of their own on PostgreSQL: several at once, one killed, one frozen. No double, no loss."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from common.tenancy import system_scope
from devices import bus
from devices.hub import Plays, decode_hub_messages
from events.delivery import EventLedger
from events.models import PlayEvent
from events.tests.support import make_announcement
from schedules.airing import plan_ahead
from schedules.tests.support import NOON, NOON_US, make_schedule, more_devices

pytestmark = [pytest.mark.production, pytest.mark.django_db(transaction=True)]

BACKEND = Path(__file__).parents[2]
PATIENCE_S = 30.0
MINUTES, SPEED = 5, 20
"""How long several schedulers run side by side, by a clock that goes so much faster and begins a minute before NOON."""
ONE_TICK = """
airing.plan_ahead(now=first)
"""
TICKING = f"""
begun = float(line)
while (passed := (time.monotonic() - begun) * {SPEED} - 60) < {MINUTES * 60}:
    airing.plan_ahead(now=first + timedelta(seconds=passed))
    time.sleep(0.1)
"""
PROGRAM = """
import sys, time, django
from datetime import datetime, timedelta
django.setup()
from schedules import airing
print("ready", flush=True)
first, line = datetime.fromisoformat(sys.argv[1]), sys.stdin.readline()
"""


def scheduler(what: str = ONE_TICK, *, redis_url: str = "") -> subprocess.Popen[bytes]:
    """A process on this test's database that waits until it is told to begin, at NOON."""
    database = connection.settings_dict
    where = quote(database["HOST"], safe="")
    environ = os.environ | {
        "PYTHONPATH": str(BACKEND),
        "DJANGO_SETTINGS_MODULE": "testing.production",
        "SYNC2GEAR_TEST_DATABASE_URL": f"postgresql://{database['USER']}@{where}/{database['NAME']}",
        "SYNC2GEAR_TEST_REDIS_URL": redis_url or settings.REDIS_URL,
    }
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM + what, NOON.isoformat()]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, cwd=BACKEND)


def begin(*processes: subprocess.Popen[bytes]) -> None:
    """Lets them tick, all by the same clock."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    now = f"{time.monotonic()}\n".encode()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(now)
        process.stdin.close()


@contextmanager
def ended(*processes: subprocess.Popen[bytes]) -> Iterator[None]:
    """None of them outlives the block."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def until(what: str, check: Callable[[], Any]) -> None:
    """Waits for it."""
    deadline = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


def waits_for_a_lock() -> bool:
    """Whether another connection stands before a lock of this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def others_at_work() -> int:
    """How many other connections of this database are in the middle of something."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


@contextmanager
def occurrences_locked() -> Iterator[None]:
    """Whoever writes down an occurrence waits until the block ends: the middle of a tick, after its choice."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE schedule_occurrences IN SHARE MODE")
        yield


@contextmanager
def impatient() -> Iterator[None]:
    """Whatever this connection has to wait for longer than 10 s fails."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
        try:
            yield
        finally:
            cursor.execute("RESET lock_timeout")


def ledger() -> Counter[tuple[Any, int, str]]:
    """How many events there are for each instant, device and state."""
    with system_scope("the test looks at the ledger"):
        return Counter(PlayEvent.objects.values_list("play_at", "device_id", "status"))


def every_minute(minutes: int, devices: list[int]) -> Counter[tuple[Any, int, str]]:
    """One event for each minute from NOON and device, waiting to be played."""
    instants = [NOON + timedelta(minutes=n) for n in range(minutes)]
    return Counter((at, device, "pending") for at in instants for device in devices)


@pytest.fixture
def devices(shop: Any) -> list[int]:
    """The keys of five speakers of the shop, on which one schedule fires every minute, of three announcements."""
    more_devices(shop, 3, shop.floors[0])
    make_schedule(shop, [make_announcement(shop) for _ in range(3)], floors=shop.floors)
    with system_scope("the test looks at the rows"):
        return sorted(shop.client.devices.values_list("pk", flat=True))


def test_three_schedulers_at_once_write_and_send_each_play_once(shop: Any, devices: list[int]) -> None:
    for _ in range(19):
        make_schedule(shop, floors=shop.floors)
    sent: Counter[str] = Counter()
    processes = [scheduler(TICKING) for _ in range(3)]
    with redis.Redis.from_url(settings.REDIS_URL).pubsub() as listening, ended(*processes):
        listening.subscribe(bus.CHANNEL)
        begin(*processes)
        assert [process.wait(PATIENCE_S * 2) for process in processes] == [0, 0, 0]
        while (message := listening.get_message(timeout=0.5)) is not None:
            if message["type"] == "message":
                for heard in decode_hub_messages(message["data"][bus.SENDER_BYTES :]):
                    if isinstance(heard, Plays):  # dashboards are told on the same channel
                        sent.update(target.event_id for target in heard.targets)
    rows = ledger()
    certain = every_minute(MINUTES + 1, devices)
    assert {key: rows[key] for key in certain} == dict.fromkeys(certain, 20)
    assert set(rows.values()) == {20}
    assert {state for _, _, state in rows} == {"pending"}
    with system_scope("the test looks at the ledger"):
        assert sent == Counter(str(pk) for pk in PlayEvent.objects.values_list("pk", flat=True))


def test_one_killed_between_choosing_and_writing_leaves_its_work_to_the_next(devices: list[int]) -> None:
    process = scheduler()
    with ended(process):
        with occurrences_locked():
            begin(process)
            until("the middle of the tick", waits_for_a_lock)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        until("the end of its transaction", lambda: not others_at_work())
    assert ledger() == Counter()
    assert plan_ahead(now=NOON + timedelta(seconds=1)) == 2 * len(devices)
    assert ledger() == every_minute(2, devices)


def test_one_killed_between_writing_and_sending_has_its_plays_sent_by_the_ledger(devices: list[int]) -> None:
    with socket.socket() as deaf:  # takes what is sent to Redis, and never answers
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        deaf.settimeout(PATIENCE_S)
        process = scheduler(redis_url=f"redis://127.0.0.1:{deaf.getsockname()[1]}/0")
        with ended(process):
            begin(process)
            caller, _ = deaf.accept()
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            caller.close()
    assert ledger() == every_minute(2, devices)
    assert plan_ahead(now=NOON + timedelta(seconds=1)) == 0
    orders = EventLedger().due(devices, reconnected=False, now=NOON + timedelta(seconds=30))
    assert {pk: [order.play_at for order in given] for pk, given in orders.items()} == {
        pk: [NOON_US + 60_000_000] for pk in devices
    }


def test_one_that_is_frozen_holds_nobody_up_and_doubles_nothing_when_it_wakes(
    shop: Any, devices: list[int]
) -> None:
    process = scheduler()
    with ended(process), impatient():
        with occurrences_locked():
            begin(process)
            until("the middle of the tick", waits_for_a_lock)
            os.kill(process.pid, signal.SIGSTOP)
        make_schedule(shop, devices=[shop.devices[0]])
        assert plan_ahead(now=NOON) == 2, "only what the frozen one has not claimed"
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(PATIENCE_S) == 0
    assert plan_ahead(now=NOON) == 0
    assert ledger() == every_minute(2, devices) + every_minute(2, [shop.devices[0].pk])
