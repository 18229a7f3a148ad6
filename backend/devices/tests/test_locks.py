"""What a lock on a row leaves to others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from common import clock
from common.rows import lock_row
from common.tenancy import system_scope
from devices import outages, store
from devices.models import LEASE, Device
from devices.store import Touch


def sign_of_life(device: Device) -> None:
    touch = Touch(device_pk=device.pk, session_id="a", at=clock.now(), takes_over=True)
    assert store.touch([touch])[0].current


def change(device: Device) -> None:
    assert lock_row(Device.objects.all(), device.pk) == device


def outage(device: Device) -> None:
    now = clock.now()
    Device.objects.filter(pk=device.pk).update(last_seen=now - 2 * LEASE)
    assert outages._begin(now - 3 * LEASE, now) == 1


@pytest.mark.production
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lock", [sign_of_life, change, outage])
def test_a_play_is_not_held_up_by(lock: Callable[[Device], None], shop: Any) -> None:
    """A play's foreign keys are checked when it is committed, by a key-share lock on each of its devices."""
    device: Device = shop.devices[0]
    others: dict[str, Any] = connection.get_connection_params()
    with system_scope("a test"), transaction.atomic(), psycopg.connect(**others) as other:
        lock(device)
        found = other.execute("SELECT id FROM devices WHERE id = %s FOR KEY SHARE NOWAIT", [device.pk])
        assert found.fetchone() == (device.pk,)
