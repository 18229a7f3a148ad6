"""What a lock on a row leaves to others."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from common import clock
from devices import store
from devices.models import Device
from devices.store import Touch


@pytest.mark.production
@pytest.mark.django_db(transaction=True)
def test_a_sign_of_life_holds_up_no_play(shop: Any) -> None:
    """A play's foreign keys are checked when it is committed, by a key-share lock on each of its devices."""
    device: Device = shop.devices[0]
    touch = Touch(device_pk=device.pk, session_id="a", at=clock.now(), takes_over=True)
    others: dict[str, Any] = connection.get_connection_params()
    with transaction.atomic(), psycopg.connect(**others) as other:
        assert store.touch([touch])[0].current
        found = other.execute("SELECT id FROM devices WHERE id = %s FOR KEY SHARE NOWAIT", [device.pk])
        assert found.fetchone() == (device.pk,)
