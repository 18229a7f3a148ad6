"""What devices say of plays, on its way to the ledger."""

from __future__ import annotations

import asyncio
import itertools
from threading import Lock
from typing import Any

import pytest
from django.db import connection

from common import clock
from devices import ports
from devices.ports import DeviceReport
from devices.protocol import PlaybackStarted
from devices.runtime import Runtime


class Told:
    """A ledger that remembers what each device said, in the order in which it was told."""

    def __init__(self) -> None:
        self.said: dict[int, list[int]] = {}
        self._lock = Lock()

    def store(self, reports: Any, *, now: Any) -> None:
        """Remembers them."""
        with self._lock:
            for report in reports:
                self.said.setdefault(report.device_pk, []).append(report.message.started_at)


@pytest.mark.parametrize("many_writers", [True, False], ids=["as PostgreSQL", "as SQLite"])
async def test_every_report_arrives_once_and_those_of_a_device_in_their_order(
    monkeypatch: pytest.MonkeyPatch, many_writers: bool
) -> None:
    monkeypatch.setattr(connection.features, "has_select_for_update_skip_locked", many_writers)
    told = Told()
    monkeypatch.setattr(ports, "_ledger", told)
    runtime = Runtime()
    try:
        said = [
            DeviceReport(device, PlaybackStarted(event_id=str(device) * 36, started_at=number), clock.now())
            for number, device in itertools.product(range(50), range(7))
        ]
        await asyncio.gather(*(runtime.report(report) for report in said))
    finally:
        await runtime.stop()
    assert told.said == {device: list(range(50)) for device in range(7)}
