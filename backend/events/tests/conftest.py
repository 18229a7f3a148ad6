"""Fixtures of the tests of plays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from common import clock
from devices import bus
from events.tests.support import NOW


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`at(instant)` sets the clock that the API reads; it stands at NOW from the beginning."""

    def set_to(instant: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: instant)

    set_to(NOW)
    return set_to


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> list[Any]:
    """What was sent to the hubs; `commit` makes it happen."""
    sent: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *messages: sent.extend(messages))
    return sent


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Any:
    """`with commit():` ends with what a commit starts."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
