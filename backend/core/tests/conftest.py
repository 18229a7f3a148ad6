"""The world that every walk over all routes sets out in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as current_settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from common import clock
from common.tenancy import system_scope
from common.tests.sounds import sound
from conftest import Business
from core.tests.things import signed_in, things_of
from devices.services import rotate_token, start_pairing


@pytest.fixture
def world(shop: Business, other_shop: Business, staff: Any, settings: Any) -> dict[str, Any]:
    """Callers, and what each column's placeholders stand for."""
    plain_names = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }  # nothing is collected here
    settings.STORAGES = current_settings.STORAGES | {"staticfiles": plain_names}
    place = Path(current_settings.MEDIA_ROOT) / "sounds"
    place.mkdir(parents=True)
    (place / "one.mp3").write_bytes(sound(seconds=0.2))
    pairing = start_pairing(hardware_id="hw-waiting", name="", software="", ip_address=None, now=clock.now())
    # A session of somebody who is none of the callers: refreshing is open to whoever has it, ending it is not.
    refresh = str(RefreshToken.for_user(other_shop.floor_user))
    code = pairing.user_code
    columns = {
        "own": things_of(shop, 0, code, refresh),
        "floor": things_of(shop, 1, code, refresh),
        "tenant": things_of(other_shop, 0, code, refresh),
    }
    own = {f"own_{name}": value for name, value in columns["own"].values.items()}
    for things in columns.values():
        things.values |= own
    with system_scope("test data"):
        token = rotate_token(device=shop.devices[0])
    callers = {
        "anonymous": APIClient(),
        "floor user": signed_in(RefreshToken.for_user(shop.floor_user).access_token),
        "client admin": signed_in(RefreshToken.for_user(shop.admin).access_token),
        "super admin": signed_in(RefreshToken.for_user(staff).access_token),
        "speaker": signed_in(token),
    }
    return {"callers": callers, "columns": columns}
