"""Everybody back at once: what the backoff of five hundred devices leaves of a server's return."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from typing import Any

import pytest
import websockets

from journeys import lab
from journeys.test_faults import connected, hang_up
from sync2gear_player.backoff import Backoff

pytestmark = [pytest.mark.system, pytest.mark.alone]

DEVICES = 500
OUTAGE_S = 12
WITHIN_S = 30.0


def test_five_hundred_devices_come_back_without_a_spike(
    server: lab.Server,
) -> None:
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})
    devices = [hang_up(owner, floor["id"], f"S{number}") for number in range(DEVICES)]

    async def main() -> list[float]:
        sockets = [await connected(server, device) for device in devices]
        await asyncio.to_thread(server.kill)
        lost_at = time.monotonic()
        starting = asyncio.create_task(start_later())
        returned = await asyncio.gather(*(come_back(device, number) for number, device in enumerate(devices)))
        await starting
        for socket in sockets:
            await socket.close()
        return [at - lost_at for at in returned]

    async def start_later() -> None:
        """After an outage that is long enough for the backoff to have spread them."""
        await asyncio.sleep(OUTAGE_S)
        await asyncio.to_thread(server.start)

    async def come_back(device: Any, number: int) -> float:
        """By the protocol's backoff, as the reference speaker does it; answers when it was greeted."""
        backoff = Backoff(random.Random(number))
        await asyncio.sleep(backoff.next_wait(None))
        while True:
            try:
                socket = await connected(server, device)
            except (OSError, websockets.WebSocketException, TimeoutError):
                await asyncio.sleep(backoff.next_wait(None))
                continue
            arrived = time.monotonic()
            await socket.close()
            return arrived

    times = sorted(asyncio.run(main()))
    a_second = Counter(int(at) for at in times)
    fullest = max(a_second.values())
    print(json.dumps({"devices": DEVICES, "last_back_s": round(times[-1], 1), "most_in_a_second": fullest}))
    assert len(times) == DEVICES
    assert times[-1] < OUTAGE_S + WITHIN_S + 30, "they are all back soon after the server is"
    assert fullest < DEVICES / 2, a_second
