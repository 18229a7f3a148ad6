"""Several at once: each trial is closed by one of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.models import AuditLog
from clients import services
from common import clock
from common.tenancy import system_scope
from conftest import make_business
from users.tests.support import at_once


@pytest.mark.django_db(transaction=True)
def test_each_trial_is_closed_once() -> None:
    now = clock.now()
    for _ in range(3):
        make_business(status="trial", trial_ends_at=now - timedelta(days=1))
    closed = at_once(*[lambda: services.close_lapsed_trials(now=now)] * 4)
    assert sum(closed) == 3
    with system_scope("the test reads the trail"):
        assert AuditLog.objects.filter(action="trial_ended").count() == 3
