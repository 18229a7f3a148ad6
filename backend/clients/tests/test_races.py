"""Several at once: each trial is closed, and each business removed, by one of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.models import AuditLog
from clients import erasing, services
from clients.models import Client
from common import clock
from common.tenancy import system_scope
from conftest import Business, make_business
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


@pytest.mark.django_db(transaction=True)
def test_a_business_is_removed_once(shop: Business, other_shop: Business) -> None:
    now = clock.now()
    with system_scope("test data"):
        Client.objects.filter(pk=shop.client.pk).update(deletion_requested_at=now, deletion_confirmed_at=now)
    gone = at_once(*[lambda: erasing.erase(client_id=shop.client.pk)] * 4)
    assert set(gone) <= {True, False}, gone
    assert erasing.confirmed() == [] or erasing.erase(client_id=shop.client.pk)
    with system_scope("the test reads the trail"):
        removed = AuditLog.objects.filter(action="delete").values_list("resource", "resource_id")
        assert len(removed) == len(set(removed)), "each row is on record once"
        assert list(Client.objects.all()) == [other_shop.client]
