"""Fixtures of the tests of devices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.db import connections

from common.tenancy import system_scope
from core import periodic
from devices import bus
from devices.tests.shop_floor import Server, serving, token_of


@pytest.fixture
def server(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A real server on this test's database. What comes back periodically is called by the tests themselves."""
    monkeypatch.setattr(periodic, "TABLE", ())
    with serving() as running:
        yield running
    # The thread that `sync_to_async` reads rows on keeps its connection, and with it the test's database.
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture
def tokens(server: Server, shop: Any, other_shop: Any) -> dict[int, str]:
    """A token for each device of both businesses, by the device's key."""
    return {device.pk: token_of(device) for business in (shop, other_shop) for device in business.devices}


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was sent to the hubs, in tests without a server."""
    sent: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *messages: sent.extend(messages))
    return sent


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Any:
    """`with commit():` ends with what a commit starts."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def in_system() -> Iterator[None]:
    """The test stands in the system's scope."""
    with system_scope("the test looks at the rows"):
        yield
