"""Who listens to what devices say of themselves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from common import clock
from devices import ports
from devices.ports import DeviceReport
from devices.protocol import StatusUpdate
from devices.runtime import Runtime


class Listener:
    """Remembers what it hears; fails if it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.heard: list[int] = []
        self._fails = fails

    def observe(self, reports: Any, *, now: Any) -> None:
        """Hears them."""
        self.heard += [report.device_pk for report in reports]
        if self._fails:
            raise ValueError("a fault of the listener's own")


async def test_every_listener_hears_all_and_a_fault_of_one_is_its_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faulty, sound = Listener(fails=True), Listener()
    monkeypatch.setattr(ports, "_observers", {})
    ports.connect_status_observer("faulty", faulty)
    ports.connect_status_observer("sound", sound)
    runtime = Runtime()
    try:
        reports = [DeviceReport(number, StatusUpdate(), clock.now()) for number in range(3)]
        await asyncio.gather(*(runtime.observe(report) for report in reports))
    finally:
        await runtime.stop()
    assert faulty.heard == sound.heard == [0, 1, 2]
    assert "faulty could not observe the status of" in caplog.text
