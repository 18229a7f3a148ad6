"""Fixtures of the tests of webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from common.tenancy import system_scope
from webhooks.models import Webhook
from webhooks.tests import support
from webhooks.tests.receiver import Receiver, receiving

MakeWebhook = Callable[..., Webhook]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A real HTTP server on this machine, which the operator has opened to webhooks."""
    settings.WEBHOOK_NETWORKS = (ip_network("127.0.0.0/8"),)
    with receiving() as running:
        yield running


@pytest.fixture
def make_webhook() -> MakeWebhook:
    """`make_webhook(business, url=…)`: subscribed to everything."""
    return support.make_webhook


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Any:
    """`with commit():` ends with what a commit starts, which jobs do at once."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def in_system() -> Iterator[None]:
    """The test stands in the system's scope."""
    with system_scope("the test looks at the rows"):
        yield
