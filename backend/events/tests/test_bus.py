"""Several server processes and one Redis: what is ordered in one reaches a device on another, Redis or not.

One server runs in this process, a second one as a process of its own on the same database.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as current_settings
from django.db import connection

from common import clock
from core import periodic
from devices import bus, runtime
from devices.protocol import CloseCode
from devices.services import push_desired
from devices.tests.shop_floor import PATIENCE_S, row_of, serving, speaker, token_of, until
from events.tests.support import fresh
from events.tests.test_socket_plays import order, settled
from testing.servers import free_port, valkey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.system, pytest.mark.alone]


@dataclass
class Elsewhere:
    """A server in a process of its own."""

    port: int


@contextmanager
def another_process(redis_url: str, folder: Path) -> Iterator[Elsewhere]:
    """A second server on this test's database and the same Redis."""
    port = free_port()
    backend = Path(current_settings.BASE_DIR)
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "PYTHONPATH": str(backend),
        "DJANGO_SETTINGS_MODULE": "core.settings",
        "PYTHON_DOTENV_DISABLED": "1",
        "SYNC2GEAR_DATA": str(folder),
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "REDIS_URL": redis_url,
        "SECRET_KEY": current_settings.SECRET_KEY,
    }
    arguments = ["uvicorn", "core.asgi:application", "--port", str(port), "--ws", "websockets-sansio"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], env=environ, cwd=backend, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 2 * PATIENCE_S
        while True:
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < deadline, "the second server did not start"
            try:
                httpx.get(f"http://127.0.0.1:{port}/api/devices/", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield Elsewhere(port)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.fixture
def redis_port() -> int:
    return free_port()


@pytest.fixture
def redis_url(redis_port: int, tmp_path: Path, settings: Any) -> Iterator[Any]:
    """`with redis_url():` is a Valkey server on the test's port; the settings name it all the time."""
    settings.REDIS_URL = f"redis://127.0.0.1:{redis_port}/0"
    (tmp_path / "valkey").mkdir()
    yield lambda: valkey(tmp_path / "valkey", port=redis_port)
    bus._redis.cache_clear()


@pytest.fixture
def here(transactional_db: None, monkeypatch: pytest.MonkeyPatch, redis_url: Any) -> Iterator[Any]:
    """The server in this process, which hears the bus."""
    monkeypatch.setattr(periodic, "TABLE", ())
    monkeypatch.setattr(bus, "RETRY_S", 0.1)
    with serving() as running:
        yield running


async def test_an_order_made_here_reaches_a_device_there_and_the_newest_connection_wins(
    shop: Any, redis_url: Any, tmp_path: Path, here: Any
) -> None:
    device = shop.devices[0]
    token = await sync_to_async(token_of)(device)
    with redis_url(), another_process(current_settings.REDIS_URL, tmp_path) as there:
        async with speaker(here, device.device_id, token) as old:
            await settled(device)
            async with speaker(there, device.device_id, token, hello={"boot_id": "there"}) as one:
                assert await old.closed() == CloseCode.SUPERSEDED
                await until(lambda: row_of(device).boot_id == "there", "the second hello")
                [event] = await order(shop, device)
                push = await one.hears("play_announcement")
                assert push["event_id"] == str(event.pk)
                assert push["ts"] < push["play_at"], "the bus was quicker than the timer of redelivery"
                await one.say("playback_complete", event_id=push["event_id"])
                await one.hears("receipt_ack")
                assert (await sync_to_async(fresh)(event)).status == "completed"


async def test_what_was_ordered_while_redis_was_away_is_delivered_from_the_database(
    shop: Any, redis_url: Any, here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = shop.devices[0]
    token = await sync_to_async(token_of)(device)
    async with speaker(here, device.device_id, token) as one:
        await settled(device)
        with redis_url():
            await until(lambda: subscribers() == 1, "the subscription")
            [first] = await order(shop, device, play_at=clock.now() + timedelta(minutes=1))
            await one.hears("play_announcement", event_id=str(first.pk))
        [second] = await order(shop, device, play_at=clock.now() + timedelta(minutes=2))
        await one.hears("play_announcement", event_id=str(second.pk))  # its own process needs no Redis
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(bus, "_here", None)
            [third] = await order(shop, device, play_at=clock.now() + timedelta(minutes=3))
        with redis_url():  # it is back, and remembers nothing
            push = await one.hears("play_announcement", event_id=str(third.pk))
            assert push["play_at"] == clock.to_us(third.play_at)
            await until(lambda: subscribers() == 1, "the subscription after the gap")
            await sync_to_async(push_desired)([device.pk])
            await one.hears("set_desired")


async def test_a_message_that_cannot_be_read_does_not_end_the_subscription(
    shop: Any, redis_url: Any, here: Any
) -> None:
    device = shop.devices[0]
    token = await sync_to_async(token_of)(device)
    with redis_url():
        async with speaker(here, device.device_id, token) as one:
            await settled(device)
            await until(lambda: subscribers() == 1, "the subscription")
            for rubbish in (b"rubbish", b'{"type":"of another version"}', b"\xff"):
                bus._redis(current_settings.REDIS_URL).publish(bus.CHANNEL, rubbish)
            await sync_to_async(push_desired)([device.pk])
            await one.hears("set_desired")


async def test_a_database_that_fails_in_the_gap_does_not_end_the_subscription(
    shop: Any, redis_url: Any, here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = shop.devices[0]
    token = await sync_to_async(token_of)(device)
    async with speaker(here, device.device_id, token) as one:
        await settled(device)
        failures = [True, True]

        async def fails(devices: Any, *, reconnected: bool) -> None:
            if failures and not reconnected:  # not the device's own greeting, which may still be under way
                failures.pop()
                raise OSError("the disk is full")

        assert runtime._runtime is not None
        monkeypatch.setattr(runtime._runtime, "deliver_due", fails)
        with redis_url():
            await until(lambda: not failures and subscribers() == 1, "the subscription after the failures")
            await sync_to_async(push_desired)([device.pk])
            await one.hears("set_desired")


def subscribers() -> int:
    """How many processes hear the bus."""
    return int(bus._redis(current_settings.REDIS_URL).pubsub_numsub(bus.CHANNEL)[0][1])
