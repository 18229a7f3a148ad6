"""Two server processes and one Redis: what happens at one is told to a page at the other, which may change over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from common.tenancy import system_scope
from devices.tests.shop_floor import speaker, token_of, until
from events.tests import test_bus
from events.tests.support import make_announcement
from live.tests.pages import page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.system, pytest.mark.alone]

here, redis_port, redis_url = test_bus.here, test_bus.redis_port, test_bus.redis_url


async def test_what_happens_there_is_told_here(
    shop: Any, redis_url: Any, tmp_path: Path, here: Any, settings: Any
) -> None:
    device = shop.devices[0]
    token = await sync_to_async(token_of)(device)

    def made() -> Any:
        with system_scope("the test acts"):
            return make_announcement(shop)

    shared = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": settings.REDIS_URL}
    with redis_url(), test_bus.another_process(settings.REDIS_URL, tmp_path) as there:
        await until(lambda: test_bus.subscribers() == 2, "both subscriptions")
        settings.CACHES = {
            "default": shared
        }  # as in production: a ticket of one process opens a socket at another
        async with page(here, shop.admin) as one:
            as_of = (await one.hears("welcome"))["as_of"]
            await one.hears("devices", fresh=True)
            async with speaker(there, device.device_id, token) as speaking:
                await speaking.say("status_update", status="playing", volume=31)
                while (await one.hears_device(device.pk))["reported"].get("volume") != 31:
                    pass
            announcement = await sync_to_async(made)()
            assert await one.hears_change("announcements") == [str(announcement.pk)]
        async with page(there, shop.admin, as_of=as_of) as moved:
            welcome = await moved.hears("welcome")
            assert welcome["reload"] or await moved.hears_change("announcements")
