"""A process that ends: what its speakers have said last is passed on, and nothing begins any more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from devices import bus, ports
from devices.hub import Told
from devices.runtime import Runtime
from live import hub


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    messages: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *sent: messages.extend(sent))
    monkeypatch.setattr(hub, "GATHERED_S", 0.05)
    return messages


@pytest.mark.django_db(transaction=True)
async def test_what_speakers_said_last_is_passed_on_and_nothing_begins_any_more(published, caplog):
    runtime = Runtime()
    dashboards = ports.audience()
    dashboards.said({3, 1})
    await runtime.stop()
    assert published == [Told([], devices=[1, 3])]
    dashboards.said({2})
    assert ports.audience() is dashboards
    await asyncio.sleep(0.1)
    assert len(published) == 1
    assert caplog.text == ""


async def test_a_bus_that_is_away_does_not_keep_it_from_ending(monkeypatch, caplog):
    def away(*sent: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(bus, "publish", away)
    dashboards = hub.Dashboards()
    dashboards.said({1})
    await dashboards.stop()
    assert "could not be passed on" in caplog.text
