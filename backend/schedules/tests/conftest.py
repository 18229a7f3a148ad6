"""Fixtures of the tests of schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from common import clock
from devices import bus
from schedules.tests.support import NOON


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`at(instant)` sets the clock that the API and the signals read; it stands at NOON from the beginning."""

    def set_to(instant: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: instant)

    set_to(NOON)
    return set_to


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was sent to the hubs; `commit` makes it happen."""
    sent: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *messages: sent.extend(messages))
    return sent


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Any:
    """`with commit():` ends with what a commit starts."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
