"""Credits of a call whose worker is killed in the middle of it come back, once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from ai_config.models import AIProvider
from ai_config.tests.fake_providers import Fake, Fault
from ai_config.tests.support import fake, provider
from announcements.models import Announcement
from clients import credits
from clients.models import Client, CreditHold
from common import clock
from common.media_fields import Readiness
from conftest import Business
from core.tests.processes import PATIENCE_S, until
from users.tests.support import at_once

__all__ = ["fake", "provider"]
NOW = clock.now()


def left(shop: Business) -> int:
    """The credits that the business has."""
    return int(Client.objects.get(pk=shop.client.pk).ai_credits)


def take(shop: Business, number: int = 2) -> CreditHold:
    """A hold of so many."""
    hold = credits.take(client_id=shop.client.pk, credits=number, now=NOW)
    assert hold is not None
    return hold


@pytest.mark.django_db
def test_what_is_held_ends_once(shop: Business, everything: None) -> None:
    before = left(shop)
    kept, returned = take(shop, 2), take(shop, 3)
    assert left(shop) == before - 5
    credits.keep(kept)
    assert credits.give_back(returned)
    assert left(shop) == before - 2
    for hold in (kept, returned):
        assert not credits.give_back(hold)
    assert left(shop) == before - 2
    assert credits.take(client_id=shop.client.pk, credits=before, now=NOW) is None
    assert not CreditHold.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_lost_comes_back_once_however_many_look(shop: Business, everything: None) -> None:
    before = left(shop)
    take(shop)
    in_time, late = NOW + credits.LOST_AFTER, NOW + credits.LOST_AFTER + timedelta(seconds=1)
    assert credits.give_back_lost(now=in_time) == 0
    assert sum(at_once(*[lambda: credits.give_back_lost(now=late)] * 4)) == 1
    assert left(shop) == before


@pytest.mark.system
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_a_provider_s_call(
    shop: Business,
    everything: None,
    fake: Fake,
    provider: Callable[..., AIProvider],
    tmp_path: Path,
) -> None:
    provider("openai")
    before = left(shop)
    fake.faults["openai"] = Fault(delay_s=60)
    words = Announcement.objects.create(
        client=shop.client,
        title="Closing",
        type=Announcement.Type.TTS,
        text="We close in fifteen minutes.",
        status=Readiness.GENERATING,
        queued_at=clock.now(),
        duration_ms=0,
    )
    call = f"from announcements.tasks import generate_tts_audio; generate_tts_audio({words.pk})"
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "core.settings",
        "TMPDIR": str(tmp_path),  # what a killed process leaves there stays
        "SYNC2GEAR_DATA": str(settings.DATA_DIR),
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
    }
    log = tmp_path / "worker.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "shell", "-c", call],
            env=env,
            stdout=out,
            stderr=out,
        ) as worker,
    ):
        try:
            until(lambda: fake.asked("openai"), log.read_text, alive=worker)
        finally:
            worker.kill()
            worker.wait(PATIENCE_S)
    assert left(shop) == before - 1, log.read_text()
    assert credits.give_back_lost(now=clock.now() + credits.LOST_AFTER + timedelta(seconds=1)) == 1
    assert left(shop) == before
